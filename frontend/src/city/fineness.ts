/** How finely, and how often, the city is drawn where drawing is slow (software GL, a weak graphics chip). Pure. */

/** A frame every so often (ms) is enough for light that comes and goes; moving wants every one. */
const GLOW_FRAME = 30;
/** Where drawing is slow, glowing leaves the processor to others for so long. */
const SLOWEST_GLOW_FRAME = 110;
/** Frames that take so long (ms) are too hard for this machine: the lamps are drawn coarser. */
const HARD = 55;
/** Frames that take no longer are so easy that it may be tried finer again. */
const EASY = 20;
/** So many easy frames in a row. */
const LONG_EASY = 900;
/** Pixels drawn for one of the screen, each way, from fine to coarse. */
const PARTS = [1, 0.75, 0.55];
/** While somebody drags through time, on a machine that was never too slow, and on one that was. */
const HASTY = [1, 0.36];

export class Fineness {
  private coarseness = 0;
  /** How late frames are that follow right upon another, in ms. */
  private late = 16;
  private easy = 0;

  /** Pixels drawn for one of the screen, each way. */
  get part(): number {
    return PARTS[this.coarseness]!;
  }

  /** The same while positions follow each other so fast that none of them can be looked at closely. */
  get hasty(): number {
    return HASTY[this.coarseness > 0 || this.late > EASY ? 1 : 0]!;
  }

  /** The least time between two frames in which nothing moves, in ms. */
  get glowFrame(): number {
    return Math.max(GLOW_FRAME, Math.min(SLOWEST_GLOW_FRAME, 1.5 * this.late));
  }

  /** A frame came so many ms after the one before it; null: it did not follow right upon another. */
  came(after: number | null) {
    if (after !== null) this.late = 0.8 * this.late + 0.2 * Math.min(400, after);
    this.easy = this.late < EASY ? this.easy + 1 : 0;
    if (this.late > HARD && this.coarseness < PARTS.length - 1) {
      this.coarseness += 1;
      this.late = 16;
    } else if (this.easy > LONG_EASY && this.coarseness > 0) {
      this.coarseness -= 1;
      this.easy = 0;
    }
  }
}
