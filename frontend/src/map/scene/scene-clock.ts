/** The clock of a scene: when the current changes began, and their progress. */

import { beatBrightness, GENTLE_RISE_MS, GLIDE_MS, glideProgress } from "../easing";
import type { Light } from "../../model/light";
import type { Instant } from "./displayed-map";

/** How long frames are still drawn after a beat should have faded, in ms. */
const LAST_FRAMES = 100;

/** The clock of one scene. All times are those of `performance.now()`. */
export class SceneClock {
  /** Brightness at which the last beat stays lit until the next one, 0 to 1. */
  held = 0;
  private lampsStarted = -Infinity;
  private landStarted = -Infinity;
  private beatStarted = -Infinity;
  private beatDuration = 0;
  private lit = false;

  /** Start at rest. With `reducedMotion` nothing glides. */
  constructor(public reducedMotion: boolean) {}

  /** Reset the lamps, the land and the light to rest. */
  reset() {
    this.lampsStarted = this.landStarted = -Infinity;
    this.startBeat(null, 0);
  }

  /** Start a glide of the lamps; it ends at once if `atOnce`. */
  startLamps(now: number, atOnce: boolean) {
    this.lampsStarted = atOnce ? -Infinity : now;
  }

  /** Start a glide of the land; it ends at once if `atOnce`. */
  startLand(now: number, atOnce: boolean) {
    this.landStarted = atOnce ? -Infinity : now;
  }

  /** Start the light of a beat; end it if `beat` is null. */
  startBeat(beat: Light | null, now: number) {
    this.lit = beat !== null;
    this.beatDuration = beat?.duration ?? 0;
    this.beatStarted = now - (beat?.atOnce ? GENTLE_RISE_MS : 0);
  }

  /** Return the progress of the lamps, 0 to 1. */
  mixing(now: number): number {
    return glideProgress(now - this.lampsStarted, this.reducedMotion);
  }

  /** Return whether the lamps or the land are gliding. */
  isGliding(now: number): boolean {
    return this.mixing(now) < 1 || this.landProgress(now) < 1;
  }

  /** Return whether the light of the beat is still changing. */
  isFading(now: number): boolean {
    return this.lit && now - this.beatStarted < this.beatDuration + LAST_FRAMES;
  }

  /** Return the milliseconds until the lamps arrive. */
  remainingGlideMs(now: number): number {
    return this.reducedMotion ? 0 : Math.max(0, this.lampsStarted + GLIDE_MS - now);
  }

  /** Return the progress of everything. */
  instantAt(now: number): Instant {
    return { mixing: this.mixing(now), landProgress: this.landProgress(now), glow: this.glow(now) };
  }

  private landProgress(now: number): number {
    return glideProgress(now - this.landStarted, this.reducedMotion);
  }

  private glow(now: number): number {
    const age = now - this.beatStarted;
    return this.lit ? beatBrightness(age, this.beatDuration, this.held, this.reducedMotion) : 0;
  }
}
