/**
 * The page that this one is framed by: a widget in a notebook (`backend/lamplighter/client/notebook/city_widget.js`).
 * The two share the selected tokens, and the host gives the live files, which a sandboxed frame cannot fetch.
 */

import type { SelectionHost } from "../api/source";

/** Messages of the host. */
interface HostMessage {
  select?: unknown;
  file?: unknown;
  data?: unknown;
}

/** Time that the host may take to give a file, in ms. */
const PATIENCE = 5_000;

export class HostFrame implements SelectionHost {
  onSelect: ((ids: readonly number[]) => void) | null = null;
  private readonly waiting = new Map<string, (data: ArrayBuffer | null) => void>();
  /** The selection that both know, as text; null until the host has been asked for its own. */
  private known: string | null = null;

  /** Return the host of this page; null if nothing frames it, or it came from an address of its own. */
  static find(): HostFrame | null {
    return parent !== window && location.protocol === "about:" ? new HostFrame() : null;
  }

  private constructor() {
    addEventListener("message", ({ source, data }: MessageEvent<{ lamplighter?: HostMessage }>) => {
      if (source === parent && data.lamplighter) this.take(data.lamplighter);
    });
  }

  tell(ids: readonly number[]) {
    const text = String(ids);
    if (this.known === null) this.post({ ready: true });
    else if (text !== this.known) this.post({ selected: [...ids] });
    this.known = text;
  }

  /** Return a file of the broadcast. Rejects if the host does not have it. */
  async read(name: string): Promise<ArrayBuffer> {
    const data = await new Promise<ArrayBuffer | null>((done) => {
      this.waiting.set(name, done);
      this.post({ read: name });
      setTimeout(done, PATIENCE, null);
    });
    if (!data) throw new Error(`the host has no ${name}`);
    return data;
  }

  private take({ select, file, data }: HostMessage) {
    if (Array.isArray(select)) {
      const ids = select.filter((id): id is number => Number.isInteger(id));
      const text = String(ids);
      if (text === this.known) return;
      this.known = text;
      this.onSelect?.(ids);
    }
    if (typeof file === "string") {
      this.waiting.get(file)?.(data instanceof ArrayBuffer ? data : null);
      this.waiting.delete(file);
    }
  }

  private post(message: object) {
    // The host may have any origin; it gets ids alone, of a run that it gave.
    parent.postMessage({ lamplighter: message }, "*");
  }
}
