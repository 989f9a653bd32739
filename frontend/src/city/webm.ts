/** A recorded WebM says how long it is, so that players can seek in it: browsers leave that out. Pure. */

const SEGMENT = [0x18, 0x53, 0x80, 0x67];
const INFO = [0x15, 0x49, 0xa9, 0x66];

/** The same file with its length, in milliseconds; unchanged where it is not of the form browsers write. */
export function withDuration(
  bytes: Uint8Array<ArrayBuffer>,
  milliseconds: number,
): Uint8Array<ArrayBuffer> {
  const segment = indexOf(bytes, SEGMENT, 0);
  const info = segment < 0 ? -1 : indexOf(bytes, INFO, segment);
  // A segment of known length, or with a table of what lies where, would have to be written anew.
  const open = bytes[segment + 4] === 0x01 && bytes[segment + 5] === 0xff;
  if (info !== segment + 12 || !open) return bytes;
  const head = info + 4;
  const first = bytes[head]!;
  const wide = Math.clz32(first) - 23;
  if (wide < 1 || wide > 8) return bytes;
  let size = first & (0xff >> wide);
  for (let i = 1; i < wide; i++) size = size * 256 + bytes[head + i]!;
  const end = head + wide + size;
  if (end > bytes.length || size > 1_000) return bytes;
  const body = bytes.subarray(head + wide, end);
  if (indexOf(body, [0x44, 0x89], 0) >= 0) return bytes;
  const grown = size + 11;
  const duration = new DataView(new ArrayBuffer(11));
  duration.setUint16(0, 0x4489);
  duration.setUint8(2, 0x88);
  duration.setFloat64(3, milliseconds);
  const out = new Uint8Array(bytes.length - wide + 2 + 11);
  out.set(bytes.subarray(0, head));
  out.set([0x40 | (grown >> 8), grown & 255], head);
  out.set(body, head + 2);
  out.set(new Uint8Array(duration.buffer), head + 2 + size);
  out.set(bytes.subarray(end), head + 2 + grown);
  return out;
}

function indexOf(bytes: Uint8Array, wanted: number[], from: number): number {
  for (let at = from; at + wanted.length <= Math.min(bytes.length, 4_096); at++) {
    if (wanted.every((byte, i) => bytes[at + i] === byte)) return at;
  }
  return -1;
}
