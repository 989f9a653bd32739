/**
 * When the city is drawn, and how finely: in each frame while something moves, seldomer while light only comes and
 * goes, not at all when nothing does. Where drawing is slow it is coarse on the way, and fine when it has come to rest.
 */

import { Fineness } from "./fineness";

/** How long nothing must move until a coarse picture is drawn fine again, in ms. */
const REST = 300;
/** The same while somebody drags, and may only look closer: a canvas of another size keeps the page waiting. */
const HASTY_REST = 1_500;
/** What need not be seen at once waits so long for something else to come with, in ms. */
const BRING = 150;

/** What is drawn. */
export interface Paced {
  /** Every frame counts: something is on its way, or has not been seen yet. */
  moves(now: number): boolean;
  /**
   * Draw `part` of the screen's pixels, each way; `elapsed` ms have passed since the last time. Returns whether the
   * picture is going to change by itself.
   */
  draw(now: number, part: number, elapsed: number): boolean;
}

export class Pacer {
  /** Nobody can see it: nothing is drawn. */
  hidden = false;
  /** Somebody drags through time: it is drawn coarsely. */
  hasty = false;
  private readonly fineness = new Fineness();
  private resting: ReturnType<typeof setTimeout> | undefined;
  /** 0: none is asked for; -1: never again. */
  private frame = 0;
  private drawn = 0;
  /** The frame to come follows right upon one just drawn. */
  private following = false;

  constructor(private readonly city: Paced) {}

  /** Draw with the next frame. */
  wake() {
    if (!this.hidden && this.frame === 0) this.frame = requestAnimationFrame(this.tick);
  }

  /** Draw soon, with what comes next if that comes first: a frame of its own costs as much as one. */
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
    const moving = this.city.moves(now);
    // The next frame comes late where the last one was hard to draw.
    this.fineness.came(this.following ? now - this.drawn : null);
    this.following = false;
    if (!moving && now - this.drawn < this.fineness.glowFrame) return this.wake();
    const part = this.hasty ? this.fineness.hasty : this.fineness.part;
    this.following = this.draw(now, part);
    if (this.following) this.wake();
    else if (part < 1) this.resting = setTimeout(this.refine, this.hasty ? HASTY_REST : REST);
  };

  /** Nothing moves: a picture that was drawn coarsely can be drawn as it should be. */
  private readonly refine = () => {
    if (this.frame === 0) this.draw(performance.now(), 1);
  };

  private draw(now: number, part: number): boolean {
    const goesOn = this.city.draw(now, part, now - this.drawn);
    this.drawn = now;
    return goesOn;
  }
}
