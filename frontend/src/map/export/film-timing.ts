/** Timing of a film: which film frame is shown, and whose rows are lit, at each instant. Pure. */

/** Minimum time between two beats, in seconds, for at most three flashes a second. */
const BEAT = 0.34;
/** How long the last film frame stays, in seconds. */
const TAIL = 1.5;
/** Maximum duration of a glide, in seconds. */
const GLIDE = 0.6;

/** Frames a second at which motion looks smooth: a short film shows no more steps than that. */
const MAX_SHOT_RATE = 12;

/**
 * Return the distance in steps between the shots of a film of `seconds` over a range, with at most `most`
 * shots.
 */
export function strideFor(first: number, last: number, seconds: number, most: number): number {
  const frames = Math.min(most, Math.round(MAX_SHOT_RATE * (seconds - TAIL)));
  return Math.max(1, Math.ceil((last - first + 1) / frames));
}

/** Return the film frames per second at which `frames` fill `seconds`. */
export function rateFor(frames: number, seconds: number): number {
  return frames / (seconds - TAIL);
}

/** The state of a film at one instant. */
interface FilmInstant {
  /** Index of the film frame that is shown. */
  frame: number;
  /** Progress of the glide from the previous film frame, 0 to 1. */
  mixing: number;
  /** Index of the film frame whose rows are lit; `age`: seconds since they were lit. */
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
