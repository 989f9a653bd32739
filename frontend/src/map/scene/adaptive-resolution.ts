/**
 * Adaptive resolution and frame rate of the map where drawing is slow (software GL, a weak graphics chip).
 * Pure.
 */

/** Frame interval (ms) that suffices while only light fades; movement needs every frame. */
const GLOW_INTERVAL = 30;
/** Maximum of that interval (ms), which leaves a slow processor time for other work. */
const MAX_GLOW_INTERVAL = 110;
/** Frame time (ms) above which the resolution is lowered. */
const SLOW_FRAME = 55;
/** Frame time (ms) up to which a higher resolution may be tried again. */
const FAST_FRAME = 20;
/** Number of consecutive fast frames before that. */
const LONG_EASY = 900;
/** Resolution as a fraction of the screen's pixels, per axis, from fine to coarse. */
const SCALES = [1, 0.75, 0.55];
/** Resolution while scrubbing, on a fast machine and on a slow one. */
const SCRUBBING_SCALE = [1, 0.36];

/** A controller of the resolution, driven by the time between frames. */
export class AdaptiveResolution {
  private coarseness = 0;
  /** Moving average of the time between consecutive frames, in ms. */
  private late = 16;
  private easy = 0;

  /** Return the resolution as a fraction of the screen's pixels, per axis. */
  get scale(): number {
    return SCALES[this.coarseness]!;
  }

  /** Return the resolution while scrubbing, when no picture stays long enough for a close look. */
  get scrubbingScale(): number {
    return SCRUBBING_SCALE[this.coarseness > 0 || this.late > FAST_FRAME ? 1 : 0]!;
  }

  /** Return the minimum time between two frames without movement, in ms. */
  get glowInterval(): number {
    return Math.max(GLOW_INTERVAL, Math.min(MAX_GLOW_INTERVAL, 1.5 * this.late));
  }

  /** Record the time since the previous frame, in ms; null if the two were not consecutive. */
  recordFrame(after: number | null) {
    if (after !== null) this.late = 0.8 * this.late + 0.2 * Math.min(400, after);
    this.easy = this.late < FAST_FRAME ? this.easy + 1 : 0;
    if (this.late > SLOW_FRAME && this.coarseness < SCALES.length - 1) {
      this.coarseness += 1;
      this.late = 16;
    } else if (this.easy > LONG_EASY && this.coarseness > 0) {
      this.coarseness -= 1;
      this.easy = 0;
    }
  }
}
