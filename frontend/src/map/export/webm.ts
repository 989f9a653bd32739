/** A WebM file of encoded pictures, with its duration and an index of its key frames. Pure. */

import type { EncodedFrame, VideoTrack } from "./video-track";

/** Return a WebM file of `frames`, in order of time; the first must be a key frame. */
export function writeWebm(
  frames: EncodedFrame[],
  { codec, width, height, duration }: VideoTrack,
): Uint8Array {
  const head = element(0x1a45dfa3, [
    element(0x4286, unsignedBytes(1)),
    element(0x42f7, unsignedBytes(1)),
    element(0x42f2, unsignedBytes(4)),
    element(0x42f3, unsignedBytes(8)),
    element(0x4282, textBytes("webm")),
    element(0x4287, unsignedBytes(2)),
    element(0x4285, unsignedBytes(2)),
  ]);
  const info = element(0x1549a966, [
    element(0x2ad7b1, unsignedBytes(1_000_000)),
    element(0x4489, floatBytes(duration)),
    element(0x4d80, textBytes("Lamplighter")),
    element(0x5741, textBytes("Lamplighter")),
  ]);
  const tracks = element(0x1654ae6b, [
    element(0xae, [
      element(0xd7, unsignedBytes(1)),
      element(0x73c5, unsignedBytes(1)),
      element(0x9c, unsignedBytes(0)),
      element(0x86, textBytes(codec)),
      element(0x83, unsignedBytes(1)),
      element(0xe0, [element(0xb0, unsignedBytes(width)), element(0xba, unsignedBytes(height))]),
    ]),
  ]);
  const clusters: { time: number; bytes: Uint8Array }[] = [];
  for (let from = 0; from < frames.length;) {
    let end = from + 1;
    while (end < frames.length && !frames[end]!.key) end += 1;
    const time = Math.round(frames[from]!.time);
    const blocks = frames.slice(from, end).map((frame) => block(frame, time));
    clusters.push({
      time,
      bytes: element(0x1f43b675, [element(0xe7, unsignedBytes(time)), ...blocks]),
    });
    from = end;
  }
  let position = info.length + tracks.length;
  const points = clusters.map(({ time, bytes }) => {
    const offset = element(0xb7, [
      element(0xf7, unsignedBytes(1)),
      element(0xf1, unsignedBytes(position)),
    ]);
    position += bytes.length;
    return element(0xbb, [element(0xb3, unsignedBytes(time)), offset]);
  });
  const cues = element(0x1c53bb6b, points);
  const body = [info, tracks, ...clusters.map(({ bytes }) => bytes), cues];
  return concatBytes([head, element(0x18538067, body)]);
}

/** Return a SimpleBlock of the frame, in a cluster that starts at `from` ms. */
function block({ time, key, bytes }: EncodedFrame, from: number): Uint8Array {
  const after = Math.round(time) - from;
  const head = Uint8Array.of(0x81, (after >> 8) & 255, after & 255, key ? 0x80 : 0);
  return element(0xa3, [head, bytes]);
}

/** Return an EBML element with an eight-byte length. */
function element(id: number, content: Uint8Array | Uint8Array[]): Uint8Array {
  const parts = Array.isArray(content) ? content : [content];
  const size = parts.reduce((sum, { length }) => sum + length, 0);
  const length = new Uint8Array(8);
  const view = new DataView(length.buffer);
  view.setUint32(0, 0x0100_0000 + Math.floor(size / 2 ** 32));
  view.setUint32(4, size >>> 0);
  return concatBytes([unsignedBytes(id), length, ...parts]);
}

/** Encode an unsigned integer without leading zeros, as ids and values are written. */
function unsignedBytes(value: number): Uint8Array {
  const bytes = [value & 255];
  for (let rest = Math.floor(value / 256); rest > 0; rest = Math.floor(rest / 256)) {
    bytes.unshift(rest & 255);
  }
  return Uint8Array.from(bytes);
}

function floatBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value);
  return bytes;
}

function textBytes(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

function concatBytes(parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}
