/**
 * The render loop: a frame at every screen refresh while something moves, fewer while only light fades, none
 * at rest. Where drawing is slow, moving frames are coarse and the final one is fine.
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
class AdaptiveResolution {
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

/** Time without movement before a coarse picture is refined, in ms. */
const REFINE_DELAY = 300;
/**
 * The same delay while scrubbing, in ms. It is longer because resizing the canvas blocks the page; refining
 * matters only if the viewer stops for a closer look.
 */
const SCRUBBING_REFINE_DELAY = 1_500;
/** How long a non-urgent change waits for another to be drawn with, in ms. */
const COALESCE_DELAY = 150;

/** The client of a render loop, which draws the frames. */
interface RenderLoopClient {
  /** Return whether every frame counts: something is moving, or has not been shown yet. */
  isMoving(now: number): boolean;
  /**
   * Draw at a resolution of `scale` of the screen's pixels per axis, `elapsed` ms after the last frame.
   * Return whether the picture will keep changing by itself.
   */
  renderFrame(now: number, scale: number, elapsed: number): boolean;
}

/** A render loop with one client. */
export class RenderLoop {
  /** True while the viewer scrubs through time; frames are coarse then. */
  scrubbing = false;
  private readonly resolution = new AdaptiveResolution();
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Id of the requested animation frame; 0 if none is requested, -1 after `stop`. */
  private frame = 0;
  private lastFrameAt = 0;
  /** True if the coming frame directly follows one just drawn. */
  private following = false;

  constructor(private readonly client: RenderLoopClient) {}

  /** Request a frame. */
  wake() {
    if (this.frame === 0) this.frame = requestAnimationFrame(this.tick);
  }

  /**
   * Request a frame soon, or with the next change if that comes first: a separate frame would cost as much.
   */
  wakeSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.wake(), COALESCE_DELAY);
  }

  stop() {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.timer);
    this.frame = -1;
  }

  private readonly tick = () => {
    if (this.frame < 0) return;
    this.frame = 0;
    clearTimeout(this.timer);
    const now = performance.now();
    const moving = this.client.isMoving(now);
    // After a frame that was slow to draw, the next one is late.
    this.resolution.recordFrame(this.following ? now - this.lastFrameAt : null);
    this.following = false;
    if (!moving && now - this.lastFrameAt < this.resolution.glowInterval) {
      this.wake();
      return;
    }
    const scale = this.scrubbing ? this.resolution.scrubbingScale : this.resolution.scale;
    this.following = this.drawFrame(now, scale);
    if (this.following) this.wake();
    else if (scale < 1)
      this.timer = setTimeout(this.refine, this.scrubbing ? SCRUBBING_REFINE_DELAY : REFINE_DELAY);
  };

  /** Redraw a coarse picture at full resolution once nothing moves. */
  private readonly refine = () => {
    if (this.frame === 0) this.drawFrame(performance.now(), 1);
  };

  private drawFrame(now: number, scale: number): boolean {
    const keepsChanging = this.client.renderFrame(now, scale, now - this.lastFrameAt);
    this.lastFrameAt = now;
    return keepsChanging;
  }
}
