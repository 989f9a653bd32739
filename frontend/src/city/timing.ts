/** When what is shown in a film: which shot, and which of them lights its lamps. Pure. */

/** A beat lights the lamps at most so often, in seconds: no more than three flashes a second. */
const BEAT = 0.34;
/** The last shot stays on, in seconds. */
const TAIL = 1.5;
/** A glide takes at most so long, in seconds. */
const GLIDE = 0.6;

export interface Instant {
  /** The shot that is shown. */
  shot: number;
  /** How far the glide from the shot before has come, 0 to 1. */
  mixing: number;
  /** The shot whose rows are lit, and for how long they have been, in seconds. */
  beat: number;
  age: number;
}

/** So many shots, so many of them a second. */
export class Timing {
  readonly seconds: number;
  /** Shots from one beat to the next: 1 where every shot is one. */
  readonly stride: number;

  constructor(
    readonly shots: number,
    readonly rate: number,
  ) {
    this.seconds = shots / rate + TAIL;
    this.stride = Math.max(1, Math.ceil(BEAT * rate - 1e-9));
  }

  /** How long a beat is on before the next, in seconds. */
  get lasting(): number {
    return this.stride / this.rate;
  }

  at(seconds: number): Instant {
    const shot = Math.min(this.shots - 1, Math.floor(seconds * this.rate + 1e-9));
    const beat = shot - (shot % this.stride);
    return {
      shot,
      mixing: Math.min(1, (seconds - shot / this.rate) / Math.min(GLIDE, 1 / this.rate)),
      beat,
      age: seconds - beat / this.rate,
    };
  }
}
