/** Frame encoders of a film, of which the browser's best is chosen. */

import { ApngEncoder } from "./apng";
import { canvasBlob } from "./canvas-blob";
import { writeWebm } from "./webm";
import type { EncodedFrame, FrameEncoder, VideoTrack } from "./video-track";

/** Codec names, as the browser and the file call them, the fastest first. */
const CODECS = [
  ["vp8", "V_VP8"],
  ["vp09.00.40.08", "V_VP9"],
] as const;
/** Limit on frames that wait to be encoded. */
const WAITING = 4;
/** Quality of a frame that is a whole picture, 0 to 1. */
const QUALITY = 0.8;

/**
 * Return the best encoder this browser has.
 *
 * That is a video by WebCodecs, which browsers offer on secure origins only; else a video of whole pictures,
 * since a WebP picture is a VP8 key frame; else, in a browser that writes no WebP, an animated PNG.
 */
export async function createFrameEncoder(width: number, height: number): Promise<FrameEncoder> {
  if (typeof VideoEncoder === "function") {
    for (const [codec, name] of CODECS) {
      const bitrate = Math.min(16e6, 6 * width * height);
      const settings = { codec, width, height, bitrate, framerate: 24 };
      const { supported } = await VideoEncoder.isConfigSupported(settings);
      if (supported) return new WebCodecsEncoder(settings, name);
    }
  }
  const small = document.createElement("canvas");
  small.width = small.height = 1;
  const { type } = await canvasBlob(small, "image/webp");
  return type === "image/webp" ? new WebpEncoder(width, height) : new ApngEncoder();
}

/** A video encoder by WebCodecs. */
class WebCodecsEncoder implements FrameEncoder {
  readonly rate = 24;
  readonly still = false;
  private readonly frames: EncodedFrame[] = [];
  private readonly encoder: VideoEncoder;
  private failure: Error | null = null;

  constructor(
    private readonly settings: VideoEncoderConfig,
    private readonly codec: VideoTrack["codec"],
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

  async addFrame(canvas: HTMLCanvasElement, time: number, key: boolean) {
    const frame = new VideoFrame(canvas, { timestamp: Math.round(1e3 * time) });
    this.encoder.encode(frame, { keyFrame: key });
    frame.close();
    while (this.encoder.encodeQueueSize > WAITING && !this.failure)
      await new Promise((done) => setTimeout(done));
    if (this.failure) throw this.failure;
  }

  async finish(time: number) {
    await this.encoder.flush();
    return fileOf(this.frames, this.codec, this.settings, time);
  }

  close() {
    if (this.encoder.state !== "closed") this.encoder.close();
  }
}

/** A video encoder that takes each frame from a WebP picture. */
class WebpEncoder implements FrameEncoder {
  /** Every frame is a whole picture, so a lower rate keeps the file small. */
  readonly rate = 12;
  readonly still = false;
  private readonly frames: EncodedFrame[] = [];

  constructor(
    readonly width: number,
    readonly height: number,
  ) {}

  async addFrame(canvas: HTMLCanvasElement, time: number) {
    const picture = await canvasBlob(canvas, "image/webp", QUALITY);
    this.frames.push({ time, key: true, bytes: vp8Of(await picture.arrayBuffer()) });
  }

  finish(time: number) {
    return Promise.resolve(fileOf(this.frames, "V_VP8", this, time));
  }

  close() {}
}

function fileOf(
  frames: EncodedFrame[],
  codec: VideoTrack["codec"],
  { width, height }: { width: number; height: number },
  duration: number,
): Blob {
  const bytes = writeWebm(frames, { codec, width, height, duration });
  return new Blob([bytes as BlobPart], { type: "video/webm" });
}

/**
 * Return the VP8 frame in a WebP file.
 *
 * @throws RangeError if there is none.
 */
function vp8Of(file: ArrayBuffer): Uint8Array {
  const view = new DataView(file);
  for (let offset = 12; offset + 8 <= file.byteLength;) {
    const size = view.getUint32(offset + 4, true);
    if (view.getUint32(offset) === 0x56503820) return new Uint8Array(file, offset + 8, size);
    offset += 8 + size + (size & 1);
  }
  throw new RangeError("this WebP file has no frame of VP8");
}
