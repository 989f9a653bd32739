/** The types of a video: its recorder, its encoded frames and its track. */

/** The video track of a file. */
export interface VideoTrack {
  codec: "V_VP8" | "V_VP9";
  width: number;
  height: number;
  /** Milliseconds. */
  duration: number;
}

/** An encoded frame. */
export interface EncodedFrame {
  /** Milliseconds from the beginning. */
  time: number;
  /** True if it can be shown without the frames before it. */
  key: boolean;
  bytes: Uint8Array;
}

/** An encoder that takes a film's frames in order. */
export interface FrameEncoder {
  /** Frames per second. */
  readonly rate: number;
  /** True if it stores one picture per change, which rules out glides. */
  readonly still: boolean;
  /** Encode the canvas as shown from `time` (ms) on; `key` makes a key frame, which needs none before it. */
  addFrame(canvas: HTMLCanvasElement, time: number, key: boolean): Promise<void>;
  /** Return the file, which ends at `time` (ms). */
  finish(time: number): Promise<Blob>;
  close(): void;
}
