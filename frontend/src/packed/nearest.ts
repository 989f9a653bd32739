/** The neighbours of some words in succession at some steps of a packed run, and their row lengths. */

import type { BinaryReader } from "../api/binary-reader";
import type { NearestHead } from "./packed-file";

/** Value that stands for the longest row of a step. */
const LENGTH_STEPS = 65_535;

interface Moment {
  step: number;
  ids: Uint32Array;
  /** Cosines times 100. */
  hundredths: Int16Array;
  lengths: Float32Array;
}

/** Neighbours of one word: ids and cosines, nearest first. */
interface Nearest {
  step: number;
  neighbours: { id: number; cosine: number }[];
}

export class PackedNearest {
  private readonly k: number;
  private readonly moments: readonly Moment[];

  /** Decode the neighbours of `size` words, the first of which is `first`. Throws `FrameError`. */
  constructor(
    reader: BinaryReader,
    head: NearestHead,
    size: number,
    private readonly first = 0,
  ) {
    const { k } = head;
    let before = new Uint32Array(size * k);
    this.k = k;
    this.moments = head.steps.map((step, index): Moment => {
      const changes = joinPlanes(reader.u8s(4 * size * k), size * k, 4);
      const ids = before.map((id, i) => (id + changes[i]!) >>> 0);
      before = ids;
      const falls = reader.u8s(size * k);
      const hundredths = new Int16Array(size * k);
      for (let id = 0; id < size; id++) {
        let cosine = 0;
        for (let rank = 0; rank < k; rank++) {
          const fall = falls[rank * size + id]!;
          // Modulo 256: the first is from -100 to 100, and so is every sum.
          cosine = wrap(cosine + fall);
          hundredths[id * k + rank] = cosine;
        }
      }
      const steps = joinPlanes(reader.u8s(2 * size), size, 2);
      const longest = head.longest[index] ?? 0;
      const lengths = Float32Array.from(steps, (length) => (length / LENGTH_STEPS) * longest);
      return { step, ids, hundredths, lengths };
    });
  }

  /** Return up to `most` neighbours of a word at the last recorded step at or before `step`. */
  of(token: number, step: number, most: number): Nearest {
    const moment = this.momentAt(step);
    const neighbours = Array.from({ length: Math.min(most, this.k) }, (_, rank) => {
      const place = (token - this.first) * this.k + rank;
      return { id: moment.ids[place]!, cosine: moment.hundredths[place]! / 100 };
    });
    return { step: moment.step, neighbours };
  }

  /** Return the length of a word's row at the last recorded step at or before `step`. */
  lengthOf(token: number, step: number): { step: number; length: number | null } {
    const moment = this.momentAt(step);
    return { step: moment.step, length: moment.lengths[token - this.first] ?? null };
  }

  /** Return the lengths of all rows at the last recorded step at or before `step`. */
  lengthsAt(step: number): { step: number; lengths: Float32Array } {
    const moment = this.momentAt(step);
    return { step: moment.step, lengths: moment.lengths };
  }

  private momentAt(step: number): Moment {
    return this.moments.findLast((one) => one.step <= step) ?? this.moments[0]!;
  }
}

function wrap(hundredths: number): number {
  const byte = hundredths & 0xff;
  return byte > 127 ? byte - 256 : byte;
}

/** Return unsigned integers whose bytes lie in planes, lowest bytes first. */
function joinPlanes(planes: Uint8Array, count: number, width: number): Uint32Array {
  const numbers = new Uint32Array(count);
  for (let byte = 0; byte < width; byte++) {
    for (let i = 0; i < count; i++) numbers[i]! += planes[byte * count + i]! * 2 ** (8 * byte);
  }
  return numbers;
}
