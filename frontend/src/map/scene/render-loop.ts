/**
 * The render loop: a frame at every screen refresh while something moves, fewer while only light fades, none
 * at rest. Where drawing is slow, moving frames are coarse and the final one is fine.
 */

import { AdaptiveResolution } from "./adaptive-resolution";

/** Time without movement before a coarse picture is refined, in ms. */
const REST = 300;
/**
 * That time while scrubbing, in ms. It is longer because resizing the canvas blocks the page; refining
 * matters only if the viewer stops for a closer look.
 */
const HASTY_REST = 1_500;
/** How long a change that is not urgent waits to be drawn with another, in ms. */
const BRING = 150;

/** The client of a render loop, which draws the frames. */
export interface RenderLoopClient {
  /** Return whether every frame counts: something is moving, or has not been shown yet. */
  isMoving(now: number): boolean;
  /**
   * Draw at a resolution of `part` of the screen's pixels per axis, `elapsed` ms after the last frame. Return
   * whether the picture will keep changing by itself.
   */
  renderFrame(now: number, part: number, elapsed: number): boolean;
}

/** A render loop with one client. */
export class RenderLoop {
  /** True while the map is not visible; nothing is drawn then. */
  hidden = false;
  /** True while the viewer scrubs through time; frames are coarse then. */
  scrubbing = false;
  private readonly fineness = new AdaptiveResolution();
  private resting: ReturnType<typeof setTimeout> | undefined;
  /** Id of the requested animation frame; 0 if none is requested, -1 after `stop`. */
  private frame = 0;
  private drawn = 0;
  /** True if the coming frame directly follows one just drawn. */
  private following = false;

  constructor(private readonly city: RenderLoopClient) {}

  /** Request a frame. */
  wake() {
    if (!this.hidden && this.frame === 0) this.frame = requestAnimationFrame(this.tick);
  }

  /**
   * Request a frame soon, or with the next change if that comes first: a frame of its own would cost as much.
   */
  wakeSoon() {
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.wake(), BRING);
  }

  stop() {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.resting);
    this.frame = -1;
  }

  private readonly tick = () => {
    if (this.frame < 0) return;
    this.frame = 0;
    clearTimeout(this.resting);
    const now = performance.now();
    const moving = this.city.isMoving(now);
    // After a frame that was slow to draw, the next one comes late.
    this.fineness.recordFrame(this.following ? now - this.drawn : null);
    this.following = false;
    if (!moving && now - this.drawn < this.fineness.glowInterval) {
      this.wake();
      return;
    }
    const part = this.scrubbing ? this.fineness.scrubbingScale : this.fineness.scale;
    this.following = this.drawFrame(now, part);
    if (this.following) this.wake();
    else if (part < 1) this.resting = setTimeout(this.refine, this.scrubbing ? HASTY_REST : REST);
  };

  /** Redraw a coarse picture at full resolution once nothing moves. */
  private readonly refine = () => {
    if (this.frame === 0) this.drawFrame(performance.now(), 1);
  };

  private drawFrame(now: number, part: number): boolean {
    const goesOn = this.city.renderFrame(now, part, now - this.drawn);
    this.drawn = now;
    return goesOn;
  }
}
