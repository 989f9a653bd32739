/** Timing of a film: which film frame is shown, and whose rows are lit, at each instant. Pure. */

/** Least time between two beats, in seconds, for no more than three flashes a second. */
const BEAT = 0.34;
/** How long the last film frame stays, in seconds. */
const TAIL = 1.5;
/** Longest duration of a glide, in seconds. */
const GLIDE = 0.6;

/** Frames a second at which motion looks smooth: a film of few seconds shows no more steps than that. */
const SMOOTHEST = 12;

/** Return how far apart the steps are that a film of a range shows in so many seconds, `most` of them at most. */
export function strideFor(first: number, last: number, seconds: number, most: number): number {
  const frames = Math.min(most, Math.round(SMOOTHEST * (seconds - TAIL)));
  return Math.max(1, Math.ceil((last - first + 1) / frames));
}

/** Return the film frames a second at which so many of them fill `seconds`. */
export function rateFor(frames: number, seconds: number): number {
  return frames / (seconds - TAIL);
}

/** The state of a film at one instant. */
interface FilmInstant {
  /** Index of the film frame that is shown. */
  frame: number;
  /** Progress of the glide from the film frame before, 0 to 1. */
  mixing: number;
  /** Index of the film frame whose rows are lit; `age`: for how long, in seconds. */
  beat: number;
  age: number;
}

/** The schedule of a film with a number of film frames at a rate per second. */
export class FilmTiming {
  readonly seconds: number;
  /** Film frames from one beat to the next; 1 if each is a beat. */
  readonly stride: number;

  constructor(
    readonly frames: number,
    readonly rate: number,
  ) {
    this.seconds = frames / rate + TAIL;
    this.stride = Math.max(1, Math.ceil(BEAT * rate - 1e-9));
  }

  /** Return the time from one beat to the next, in seconds. */
  get beatDuration(): number {
    return this.stride / this.rate;
  }

  /** Return the state at a time. */
  instantAt(seconds: number): FilmInstant {
    const frame = Math.min(this.frames - 1, Math.floor(seconds * this.rate + 1e-9));
    const beat = frame - (frame % this.stride);
    return {
      frame,
      mixing: Math.min(1, (seconds - frame / this.rate) / Math.min(GLIDE, 1 / this.rate)),
      beat,
      age: seconds - beat / this.rate,
    };
  }
}
