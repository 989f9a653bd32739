/**
 * An animated PNG, assembled from the browser's own PNG files. Each frame after the first holds only the
 * pixels that visibly changed.
 */

import { canvasBlob } from "./canvas-blob";
import type { FrameEncoder } from "./video-track";

/** Largest imperceptible difference of a colour channel, of 255. */
const UNSEEN = 3;
const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** A frame encoder that writes an animated PNG. */
export class ApngEncoder implements FrameEncoder {
  readonly rate = 24;
  readonly still = true;
  private readonly frames: { time: number; data: Uint8Array[] }[] = [];
  private head: Uint8Array = new Uint8Array();
  /** The picture as the frames so far show it. */
  private seen: ImageData | null = null;

  async addFrame(canvas: HTMLCanvasElement, time: number) {
    const { width, height } = canvas;
    const change = document.createElement("canvas");
    [change.width, change.height] = [width, height];
    const context = change.getContext("2d")!;
    context.drawImage(canvas, 0, 0);
    const image = context.getImageData(0, 0, width, height);
    if (this.seen) context.putImageData(changes(image, this.seen), 0, 0);
    else this.seen = image;
    const file = new Uint8Array(await (await canvasBlob(change, "image/png")).arrayBuffer());
    const all = chunksOf(file);
    if (!this.head.length) this.head = all.find(({ name }) => name === "IHDR")!.data;
    const data = all.filter(({ name }) => name === "IDAT").map((chunk) => chunk.data);
    this.frames.push({ time, data });
  }

  finish(time: number) {
    const { frames, head } = this;
    const parts = [Uint8Array.from(SIGNATURE), chunk("IHDR", head)];
    parts.push(chunk("acTL", words(frames.length, 0)));
    let order = 0;
    frames.forEach((frame, i) => {
      const duration = Math.round((frames[i + 1]?.time ?? time) - frame.time);
      const shown = new Uint8Array(26);
      // Sequence number, size, offset; then the delay in milliseconds; blended over the frame before.
      shown.set(words(order++));
      shown.set(head.subarray(0, 8), 4);
      shown.set([duration >> 8, duration & 255, 3, 232, 0, i ? 1 : 0], 20);
      parts.push(chunk("fcTL", shown));
      for (const data of frame.data) {
        parts.push(i ? chunk("fdAT", words(order++), data) : chunk("IDAT", data));
      }
    });
    parts.push(chunk("IEND"));
    return Promise.resolve(new Blob(parts as BlobPart[], { type: "image/png" }));
  }

  close() {}
}

/** Clear the pixels of `image` that match `seen`, and update `seen` with the others. Return `image`. */
function changes(image: ImageData, seen: ImageData): ImageData {
  const [to, from] = [image.data, seen.data];
  for (let i = 0; i < to.length; i += 4) {
    let most = 0;
    for (let j = i; j < i + 3; j++) most = Math.max(most, Math.abs(to[j]! - from[j]!));
    if (most > UNSEEN) for (let j = i; j < i + 4; j++) from[j] = to[j]!;
    else to.fill(0, i, i + 4);
  }
  return image;
}

/** Return the chunks of a PNG file. */
function chunksOf(file: Uint8Array) {
  const view = new DataView(file.buffer);
  const chunks: { name: string; data: Uint8Array }[] = [];
  for (let offset = SIGNATURE.length; offset < file.length;) {
    const size = view.getUint32(offset);
    const name = String.fromCharCode(...file.subarray(offset + 4, offset + 8));
    chunks.push({ name, data: file.subarray(offset + 8, offset + 8 + size) });
    offset += size + 12;
  }
  return chunks;
}

/** Return a PNG chunk with its length and checksum. */
function chunk(name: string, ...data: Uint8Array[]): Uint8Array {
  const size = data.reduce((sum, { length }) => sum + length, 0);
  const out = new Uint8Array(size + 12);
  out.set(words(size));
  out.set(new TextEncoder().encode(name), 4);
  let offset = 8;
  for (const part of data) {
    out.set(part, offset);
    offset += part.length;
  }
  out.set(words(checksum(out.subarray(4, offset))), offset);
  return out;
}

/** Return the values as big-endian 32-bit integers. */
function words(...values: number[]): Uint8Array {
  return Uint8Array.from(
    values.flatMap((value) => [value >>> 24, value >>> 16, value >>> 8, value]),
  );
}

const TABLE = Uint32Array.from({ length: 256 }, (_, value) => {
  for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
  return value;
});

/** Return the CRC-32 of the bytes. */
function checksum(bytes: Uint8Array): number {
  let value = -1;
  for (const byte of bytes) value = (value >>> 8) ^ TABLE[(value ^ byte) & 255]!;
  return ~value;
}
