/** Decoding of the envelopes of the class's stream (`docs/wire.md`). A stand-in until the decoder is here. */

import { FrameError } from "./binary-reader";
import { decode, type Frame } from "./frames";
import type { SocketMessage } from "./rest-types";

export async function decodeEnvelope(data: ArrayBuffer): Promise<(Frame | SocketMessage)[]> {
  const [version, packing] = new Uint8Array(data, 0, 2);
  if (version !== 1) throw new FrameError(`envelope version ${version}; this page reads 1`);
  let bytes = data.slice(2);
  if (packing === 1) {
    const opened = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    bytes = await new Response(opened).arrayBuffer();
  }
  const parts: (Frame | SocketMessage)[] = [];
  const view = new DataView(bytes);
  for (let at = 0; at < bytes.byteLength;) {
    const length = view.getUint32(at, true);
    const part = bytes.slice(at + 4, at + 4 + length);
    parts.push(
      view.getUint8(at + 4) === 0x7b
        ? (JSON.parse(new TextDecoder().decode(part)) as SocketMessage)
        : decode(part),
    );
    at += 4 + length;
  }
  return parts;
}
