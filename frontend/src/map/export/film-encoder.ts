/** The film encoder: a WebM file, made with the browser's own video encoder. */

import { webm, type Packet, type Track } from "./webm";

/** Frames per second. */
export const FRAME_RATE = 24;
/** Codecs, as the file and the browser call them, fastest first. */
const CODECS = [
  ["V_VP8", "vp8"],
  ["V_VP9", "vp09.00.40.08"],
] as const;
/** Limit on frames that wait to be encoded. */
const MAX_WAITING = 4;

/** The WebM file of a film, written frame by frame. */
export class FilmEncoder {
  private readonly packets: Packet[] = [];
  private readonly encoder: VideoEncoder;
  private colour: Track["colour"];
  private failure: Error | null = null;

  private constructor(
    private readonly codec: Track["codec"],
    private readonly settings: VideoEncoderConfig,
  ) {
    this.encoder = new VideoEncoder({
      output: (chunk, about) => {
        this.colour ??= about?.decoderConfig?.colorSpace;
        const data = new Uint8Array(chunk.byteLength);
        chunk.copyTo(data);
        const time = Math.round(chunk.timestamp / 1e3);
        this.packets.push({ data, time, key: chunk.type === "key" });
      },
      error: (error) => void (this.failure ??= error),
    });
    this.encoder.configure(settings);
  }

  /**
   * Start a film of pictures of a size, in pixels.
   *
   * @throws Error if this browser cannot encode such a video.
   */
  static async start(width: number, height: number): Promise<FilmEncoder> {
    const bitrate = Math.min(16e6, 6 * width * height);
    for (const [name, codec] of CODECS) {
      const settings = { codec, width, height, bitrate, framerate: FRAME_RATE };
      const { supported } = await VideoEncoder.isConfigSupported(settings);
      if (supported) return new FilmEncoder(name, settings);
    }
    throw new Error("this browser encodes no video of this size");
  }

  /** Encode the canvas as frame number `frame`; `key` makes it a key frame. */
  async addFrame(canvas: HTMLCanvasElement, frame: number, key: boolean) {
    const [timestamp, duration] = [frame, 1].map((at) => Math.round((1e6 * at) / FRAME_RATE));
    const picture = new VideoFrame(canvas, { timestamp: timestamp!, duration: duration! });
    this.encoder.encode(picture, { keyFrame: key });
    picture.close();
    while (this.encoder.encodeQueueSize > MAX_WAITING && !this.failure)
      await new Promise((done) => setTimeout(done));
    if (this.failure) throw this.failure;
  }

  /** Return the finished file. */
  async finish(): Promise<Blob> {
    await this.encoder.flush();
    if (this.failure) throw this.failure;
    const { width, height } = this.settings;
    const track = { codec: this.codec, width, height, frameRate: FRAME_RATE, colour: this.colour };
    return new Blob(webm(track, this.packets), { type: "video/webm" });
  }

  close() {
    if (this.encoder.state !== "closed") this.encoder.close();
  }
}
