/** The film encoder: a WebM file, made with the browser's own video encoder. */

import {
  BufferTarget,
  EncodedPacket,
  EncodedVideoPacketSource,
  Output,
  WebMOutputFormat,
} from "mediabunny";

/** Frames per second. */
export const FRAME_RATE = 24;
/** Codecs, as the file and the browser call them, fastest first. */
const CODECS = [
  ["vp8", "vp8"],
  ["vp9", "vp09.00.40.08"],
] as const;
/** Limit on frames that wait to be encoded. */
const MAX_WAITING = 4;

/** The WebM file of a film, written frame by frame. */
export class FilmEncoder {
  private readonly output = new Output({
    format: new WebMOutputFormat(),
    target: new BufferTarget(),
  });
  private readonly encoder: VideoEncoder;
  private readonly started: Promise<void>;
  private failure: Error | null = null;

  private constructor(codec: (typeof CODECS)[number][0], settings: VideoEncoderConfig) {
    const source = new EncodedVideoPacketSource(codec);
    this.output.addVideoTrack(source, { frameRate: FRAME_RATE });
    this.started = this.output.start();
    const fail = (error: Error) => void (this.failure ??= error);
    this.encoder = new VideoEncoder({
      output: (chunk, about) =>
        void source.add(EncodedPacket.fromEncodedChunk(chunk), about).catch(fail),
      error: fail,
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
      if (!supported) continue;
      const encoder = new FilmEncoder(name, settings);
      await encoder.started;
      return encoder;
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
    await this.output.finalize();
    if (this.failure) throw this.failure;
    return new Blob([this.output.target.buffer!], { type: "video/webm" });
  }

  close() {
    if (this.encoder.state !== "closed") this.encoder.close();
  }
}
