/** A reader of binary data that checks every field. */

/** Bytes that are not a frame, or a frame that this version cannot read. */
export class FrameError extends Error {}

export function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new FrameError("names are not UTF-8");
  }
}

export function checkAscending(ids: Uint32Array, vocabulary: number): Uint32Array {
  let before = -1;
  for (const id of ids) {
    if (id <= before || id >= vocabulary) {
      throw new FrameError("token ids must be distinct, sorted and below the vocabulary's size");
    }
    before = id;
  }
  return ids;
}

/** Return the ids of all rows. */
export function allIds(vocabulary: number): Uint32Array {
  const ids = new Uint32Array(vocabulary);
  for (let id = 0; id < vocabulary; id++) ids[id] = id;
  return ids;
}

export function checkLimit(value: number, limit: number, name: string): number {
  if (value > limit) throw new FrameError(`${name}: ${value} is more than ${limit}`);
  return value;
}

/** A reader of consecutive little-endian fields, never past the end. */
export class BinaryReader {
  offset = 0;
  private readonly view: DataView;

  constructor(private readonly data: ArrayBuffer) {
    this.view = new DataView(data);
  }

  get remaining(): number {
    return this.data.byteLength - this.offset;
  }

  u8 = () => this.view.getUint8(this.advance(1));
  u16 = () => this.view.getUint16(this.advance(2), true);
  u32 = () => this.view.getUint32(this.advance(4), true);
  f32 = () => this.view.getFloat32(this.advance(4), true);
  f64 = () => this.view.getFloat64(this.advance(8), true);
  u8s = (count: number) => new Uint8Array(this.data, this.advance(count), count);
  u16s = (count: number) => new Uint16Array(this.data, this.advance(2 * count), count);
  u32s = (count: number) => new Uint32Array(this.data, this.advance(4 * count), count);
  f32s = (count: number) => new Float32Array(this.data, this.advance(4 * count), count);
  skip = (bytes: number) => void this.advance(bytes);

  /** Skip the padding to the next multiple of four bytes. Throws `FrameError` unless it is zero. */
  skipPadding() {
    if (this.u8s(-this.offset & 3).some((byte) => byte !== 0)) {
      throw new FrameError("padding bytes are not zero");
    }
  }

  private advance(bytes: number): number {
    const from = this.offset;
    if (bytes > this.data.byteLength - from) throw new FrameError("frame cut short");
    this.offset = from + bytes;
    return from;
  }
}
