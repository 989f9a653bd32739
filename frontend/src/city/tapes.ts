/** What a film is recorded on, frame by frame: the best that this browser can make at this address. */

import { Apng } from "./apng";
import { pictureOf } from "./pictureof";
import { webm, type Encoded, type Video } from "./webm";

export interface Tape {
  /** Frames a second. */
  readonly rate: number;
  /** A picture for every change, and no others: nothing may glide. */
  readonly still: boolean;
  /** What is on the canvas is shown from now on (ms); `key`: it can be shown without what came before. */
  add(canvas: HTMLCanvasElement, time: number, key: boolean): Promise<void>;
  /** The file; it ends at that time. */
  end(time: number): Promise<Blob>;
  close(): void;
}

/** Names of codecs to the browser and in the file, the fastest first. */
const CODECS = [
  ["vp8", "V_VP8"],
  ["vp09.00.40.08", "V_VP9"],
] as const;
/** Frames that wait to be encoded, at most. */
const WAITING = 4;
/** How good a frame that is a picture of its own is, 0 to 1. */
const QUALITY = 0.8;

/**
 * A video by WebCodecs, which browsers have at secure addresses only. Else a video whose frames are all pictures of
 * their own: a WebP picture is a key frame of VP8. Else, where the browser writes no WebP either, an animated PNG.
 */
export async function tapeFor(width: number, height: number): Promise<Tape> {
  if (typeof VideoEncoder === "function") {
    for (const [codec, name] of CODECS) {
      const bitrate = Math.min(16e6, 6 * width * height);
      const settings = { codec, width, height, bitrate, framerate: 24 };
      const { supported } = await VideoEncoder.isConfigSupported(settings);
      if (supported) return new Encoding(settings, name);
    }
  }
  const small = document.createElement("canvas");
  small.width = small.height = 1;
  const { type } = await pictureOf(small, "image/webp");
  return type === "image/webp" ? new Pictures(width, height) : new Apng();
}

class Encoding implements Tape {
  readonly rate = 24;
  readonly still = false;
  private readonly frames: Encoded[] = [];
  private readonly encoder: VideoEncoder;
  private failure: Error | null = null;

  constructor(
    private readonly settings: VideoEncoderConfig,
    private readonly codec: Video["codec"],
  ) {
    this.encoder = new VideoEncoder({
      output: (chunk) => {
        const bytes = new Uint8Array(chunk.byteLength);
        chunk.copyTo(bytes);
        this.frames.push({ time: chunk.timestamp / 1_000, key: chunk.type === "key", bytes });
      },
      error: (error) => (this.failure = error),
    });
    this.encoder.configure(settings);
  }

  async add(canvas: HTMLCanvasElement, time: number, key: boolean) {
    const frame = new VideoFrame(canvas, { timestamp: Math.round(1e3 * time) });
    this.encoder.encode(frame, { keyFrame: key });
    frame.close();
    while (this.encoder.encodeQueueSize > WAITING && !this.failure)
      await new Promise((done) => setTimeout(done));
    if (this.failure) throw this.failure;
  }

  async end(time: number) {
    await this.encoder.flush();
    return fileOf(this.frames, this.codec, this.settings, time);
  }

  close() {
    if (this.encoder.state !== "closed") this.encoder.close();
  }
}

class Pictures implements Tape {
  /** Every frame is whole: fewer make a film that is not too large. */
  readonly rate = 12;
  readonly still = false;
  private readonly frames: Encoded[] = [];

  constructor(
    readonly width: number,
    readonly height: number,
  ) {}

  async add(canvas: HTMLCanvasElement, time: number) {
    const picture = await pictureOf(canvas, "image/webp", QUALITY);
    this.frames.push({ time, key: true, bytes: vp8Of(await picture.arrayBuffer()) });
  }

  end(time: number) {
    return Promise.resolve(fileOf(this.frames, "V_VP8", this, time));
  }

  close() {}
}

function fileOf(
  frames: Encoded[],
  codec: Video["codec"],
  { width, height }: { width: number; height: number },
  duration: number,
): Blob {
  const bytes = webm(frames, { codec, width, height, duration });
  return new Blob([bytes as BlobPart], { type: "video/webm" });
}

/** The frame of VP8 in a WebP file. */
function vp8Of(file: ArrayBuffer): Uint8Array {
  const view = new DataView(file);
  for (let at = 12; at + 8 <= file.byteLength;) {
    const size = view.getUint32(at + 4, true);
    if (view.getUint32(at) === 0x56503820) return new Uint8Array(file, at + 8, size);
    at += 8 + size + (size & 1);
  }
  throw new RangeError("this WebP file has no frame of VP8");
}
