/** What a viewer plays instead of what is happening now, and which socket that takes. Pure. */

/** Steps a second to choose from. */
export const SPEEDS: readonly number[] = [1, 4, 10, 50, 200, 1_000];
/** Where nobody said. */
export const SPEED = 50;

export interface Replay {
  /** The step it was begun from: what a link to it says. */
  from: number;
  /** Steps a second. */
  speed: number;
  /** The last step of the run was played. */
  ended: boolean;
}

/**
 * The socket's path below the run's. `again`: played on the map as it was laid out anew. `at`: the last step that was played; `held`: the viewer wants no frames
 * now. Then it hears of the run's state, and gets the newest maps: better than none where none is older.
 */
export function socketPath(
  replay: Replay | null,
  at: number,
  held: boolean,
  again = false,
): string {
  if (!replay) return "live?channels=pulse,layout";
  if (held) return "live?channels=layout";
  return `live?channels=pulse,layout&from=${at}&speed=${replay.speed}${again ? "&set=again" : ""}`;
}

/** The speeds to choose from, the one that is so among them. */
export function speedsOf(speed: number): number[] {
  return [...new Set([...SPEEDS, speed])].sort((a, b) => a - b);
}
