/**
 * The render loop: a frame at every screen refresh while something moves, fewer while only light fades, none
 * at rest. Where drawing is slow, moving frames are coarse and the final one is fine.
 */

import { AdaptiveResolution } from "./adaptive-resolution";

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
