/** A WebM file of encoded pictures, with its duration and an index of its key frames. Pure. */

import type { EncodedFrame, VideoTrack } from "./video-track";

/** Return a WebM file of `frames`, in order of time; the first must be a key frame. */
export function writeWebm(
  frames: EncodedFrame[],
  { codec, width, height, duration }: VideoTrack,
): Uint8Array {
  const head = element(0x1a45dfa3, [
    element(0x4286, whole(1)),
    element(0x42f7, whole(1)),
    element(0x42f2, whole(4)),
    element(0x42f3, whole(8)),
    element(0x4282, text("webm")),
    element(0x4287, whole(2)),
    element(0x4285, whole(2)),
  ]);
  const info = element(0x1549a966, [
    element(0x2ad7b1, whole(1_000_000)),
    element(0x4489, real(duration)),
    element(0x4d80, text("Lamplighter")),
    element(0x5741, text("Lamplighter")),
  ]);
  const tracks = element(0x1654ae6b, [
    element(0xae, [
      element(0xd7, whole(1)),
      element(0x73c5, whole(1)),
      element(0x9c, whole(0)),
      element(0x86, text(codec)),
      element(0x83, whole(1)),
      element(0xe0, [element(0xb0, whole(width)), element(0xba, whole(height))]),
    ]),
  ]);
  const clusters: { time: number; bytes: Uint8Array }[] = [];
  for (let from = 0; from < frames.length;) {
    let end = from + 1;
    while (end < frames.length && !frames[end]!.key) end += 1;
    const time = Math.round(frames[from]!.time);
    const blocks = frames.slice(from, end).map((frame) => block(frame, time));
    clusters.push({ time, bytes: element(0x1f43b675, [element(0xe7, whole(time)), ...blocks]) });
    from = end;
  }
  let at = info.length + tracks.length;
  const points = clusters.map(({ time, bytes }) => {
    const place = element(0xb7, [element(0xf7, whole(1)), element(0xf1, whole(at))]);
    at += bytes.length;
    return element(0xbb, [element(0xb3, whole(time)), place]);
  });
  const cues = element(0x1c53bb6b, points);
  const body = [info, tracks, ...clusters.map(({ bytes }) => bytes), cues];
  return joined([head, element(0x18538067, body)]);
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
  return joined([whole(id), length, ...parts]);
}

/** Encode an unsigned integer without leading zeros, as ids and values are written. */
function whole(value: number): Uint8Array {
  const bytes = [value & 255];
  for (let rest = Math.floor(value / 256); rest > 0; rest = Math.floor(rest / 256)) {
    bytes.unshift(rest & 255);
  }
  return Uint8Array.from(bytes);
}

function real(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value);
  return bytes;
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

function joined(parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
