/** The replay of a run, and the socket path it needs. Pure. */

/** Playback speeds offered, in steps a second. */
export const SPEEDS: readonly number[] = [1, 4, 10, 50, 200, 1_000];
/** Default playback speed, in steps a second. */
export const DEFAULT_SPEED = 50;

export interface Replay {
  /** Step that the replay started from, which a link to it names. */
  from: number;
  /** Steps a second. */
  speed: number;
  /** Set once the run's last step was played. */
  ended: boolean;
}

/** The stream of the class, which is the same for all: no viewer of it plays a run over the socket. */
export const CLASS_PATH = "beats";

/**
 * Return the socket's path below the run's.
 *
 * `lastStep`: the last step played. `reprojected`: play on the reprojected map. `paused`: the
 * viewer wants no pulses now; it still gets the run's status and the newest maps, for a step that
 * has no older one.
 */
export function socketPath(
  replay: Replay | null,
  lastStep: number,
  paused: boolean,
  reprojected = false,
): string {
  if (!replay) return "live?channels=pulse,layout";
  if (paused) return "live?channels=layout";
  return `live?channels=pulse,layout&from=${lastStep}&speed=${replay.speed}${reprojected ? "&set=again" : ""}`;
}

/** Return the speeds offered, with the current one among them. */
export function speedOptions(speed: number): number[] {
  return [...new Set([...SPEEDS, speed])].sort((a, b) => a - b);
}
