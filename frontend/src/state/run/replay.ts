/** The replay of a run. Pure. */

/** Playback speeds on offer, in steps per second. */
export const SPEEDS: readonly number[] = [1, 4, 10, 50, 200, 1_000];
/** Default playback speed, in steps a second. */
export const DEFAULT_SPEED = 50;

export interface Replay {
  /** Step that the replay started from, which links to it name. */
  from: number;
  /** Steps a second. */
  speed: number;
  /** Set once the run's last step was played. */
  ended: boolean;
}

/** Return the speeds on offer, including the current one. */
export function speedOptions(speed: number): number[] {
  return [...new Set([...SPEEDS, speed])].sort((a, b) => a - b);
}
