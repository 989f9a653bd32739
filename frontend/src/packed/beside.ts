/** The files beside a packed page: the neighbours of some words each, loaded when one of these words is asked for. */

import { PackedNearest } from "./nearest";
import { decodeBase64, readBinary, type BesideHead } from "./packed-file";

/** What files said, by key and number, until it is read. */
const arrived = new Map<string, string>();

declare global {
  interface Window {
    /** Each file is one call of this. */
    lamplighterFile?: (key: string, number: number, text: string) => void;
  }
}

export class BesideFiles {
  private readonly opened = new Map<number, Promise<PackedNearest | null>>();

  constructor(
    private readonly head: BesideHead,
    private readonly vocabulary: number,
  ) {}

  /** Return the neighbours in a word's file; null if the file is missing, or belongs to another page. */
  of(token: number): Promise<PackedNearest | null> {
    const number = Math.floor(token / this.head.words);
    const opened = this.opened.get(number) ?? this.open(number);
    this.opened.set(number, opened);
    return opened;
  }

  private async open(number: number): Promise<PackedNearest | null> {
    const first = number * this.head.words;
    const size = Math.min(this.head.words, this.vocabulary - first);
    try {
      const reader = await readBinary(await this.load(number));
      return new PackedNearest(reader, this.head, size, first);
    } catch (error) {
      console.warn("Lamplighter:", error);
      return null;
    }
  }

  /** Load a file. It is a script, because a page opened as a file may read nothing else beside it. */
  private load(number: number): Promise<ArrayBuffer> {
    const { folder, key } = this.head;
    window.lamplighterFile ??= (of, at, text) => arrived.set(`${of}/${at}`, text);
    return new Promise((found, fail) => {
      const script = document.createElement("script");
      script.src = `${folder}/${number}.js`;
      script.onload = script.onerror = () => {
        const text = arrived.get(`${key}/${number}`);
        arrived.clear();
        script.remove();
        if (text === undefined) fail(new Error(`the files of this page are not in ${folder}`));
        else found(decodeBase64(text));
      };
      document.head.append(script);
    });
  }
}
