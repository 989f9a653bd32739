/** The games on a run, of which one is played at a time. */

import { NeighbourNavigator } from "./neighbour-navigator.svelte";
import { OddOneOut, type GameRun } from "./odd-one-out.svelte";

export const GAMES = ["odd", "navigator"] as const;
export type GameName = (typeof GAMES)[number];

/** The games of each run that was opened: whoever looks at a word meanwhile goes on where they were. */
const gamesOf = new WeakMap<GameRun, Games>();

export class Games {
  chosen = $state<GameName>("odd");
  readonly odd: OddOneOut;
  readonly navigator: NeighbourNavigator;

  static of(run: GameRun): Games {
    const games = gamesOf.get(run) ?? new Games(run);
    gamesOf.set(run, games);
    return games;
  }

  private constructor(run: GameRun) {
    this.odd = new OddOneOut(run);
    this.navigator = new NeighbourNavigator(run);
  }

  switchTo(name: GameName) {
    this.chosen = name;
  }
}
