/**
 * A game of *Neighbour navigator*: from a start to a goal, each time to one of the words that are nearest, at the step played
 * at, to the word one stands on.
 */

import type { Answer } from "../../api/rest-types";
import { runPath } from "../../api/rest";
import { jsonQuestion, Query } from "../query/query.svelte";
import type { GameRun } from "./odd-one-out.svelte";
import { areCounts, Scores, type Score, type ScoreKind } from "./scores.svelte";

export type NavigatorAnswer = Answer<"GET /api/runs/{run}/geometry/neighbour-navigator">;

/** Sizes of the rings around words of the way, the word one stands on, and the goal, 1 as usual. */
const OF_WAY = 1.1;
const OF_PLACE = 1.7;
const OF_GOAL = 2.4;

export interface WayScore extends Score {
  /** Games in which the goal was reached; `moves` and `fewest` are of these alone, all together. */
  reached: number;
  moves: number;
  fewest: number;
  /** Probabilities, all together, that luck is there in as few moves; 1 for a game that was given up. */
  luck: number;
}

export const WAY_SCORES: ScoreKind<WayScore> = {
  key: "lamplighter.neighbour-navigator",
  isScore: ({ games, reached, moves, fewest, luck }) =>
    areCounts(games, reached, moves, fewest) &&
    reached! <= games! &&
    fewest! <= moves! &&
    typeof luck === "number" &&
    luck >= 0 &&
    luck <= games!,
  add: (before, now) => ({
    reached: before.reached + now.reached,
    moves: before.moves + now.moves,
    fewest: before.fewest + now.fewest,
    luck: before.luck + now.luck,
  }),
};

export class NeighbourNavigator {
  /** Ids of the words gone to and not taken back. */
  private gone = $state.raw<readonly number[]>([]);
  /** Moves made, those taken back among them. */
  moves = $state(0);
  /** Set once the player has given up, or has no move left. */
  givenUp = $state(false);
  /** The step that was asked for; null before the first game. */
  asked = $state<number | null>(null);
  readonly query = new Query<NavigatorAnswer>();
  readonly scores: Scores<WayScore>;
  private readonly neighboursOf = $derived.by(() => {
    const { token_ids = [], neighbours = [] } = this.query.value?.game ?? {};
    return new Map(token_ids.map((id, at) => [id, neighbours[at]!]));
  });

  constructor(private readonly run: GameRun) {
    this.scores = new Scores(run.id, WAY_SCORES);
  }

  /** Return the ends and ways of the game; null outside one, and before they have come. */
  get game() {
    return this.asked === null ? null : (this.query.value?.game ?? null);
  }

  /** Return the ids of the words walked, from the start to the word one stands on. */
  get way(): readonly number[] {
    return this.game ? [this.game.start.token_id, ...this.gone] : [];
  }

  /** Return the ids of the words that one can go to, nearest first. */
  get neighbours(): readonly number[] {
    return this.neighboursOf.get(this.way.at(-1)!) ?? [];
  }

  get reached(): boolean {
    return this.game !== null && this.way.at(-1) === this.game.goal.token_id;
  }

  get over(): boolean {
    return this.reached || this.givenUp;
  }

  get fewest(): number {
    return (this.game?.way.length ?? 1) - 1;
  }

  get mostMoves(): number {
    return (this.game?.chance.length ?? 1) - 1;
  }

  /** Return the probability that luck is there within as many moves. */
  get luck(): number {
    return this.game?.chance[this.moves] ?? 0;
  }

  /** Begin a game at a step. The first one there has the same words for everybody, and so has the second. */
  start(step: number) {
    this.asked = step;
    this.moves = 0;
    this.gone = [];
    this.givenUp = false;
    const path = `geometry/neighbour-navigator?step=${step}&seed=${this.scores.gamesAt(step)}`;
    this.query.ask(jsonQuestion<NavigatorAnswer>(runPath(this.run.id, path), path));
  }

  /** Go to a neighbour of the word one stands on. */
  go(id: number | undefined) {
    if (id === undefined || this.over || !this.neighbours.includes(id)) return;
    this.gone = [...this.gone, id];
    this.moves += 1;
    if (this.reached) this.count();
    else if (this.moves === this.mostMoves) this.giveUp();
  }

  /** Go back to the word before; the move there stays counted, for what was seen stays known. */
  goBack() {
    if (!this.over) this.gone = this.gone.slice(0, -1);
  }

  giveUp() {
    if (!this.game || this.over) return;
    this.givenUp = true;
    this.count();
  }

  /** Go back to where a game is chosen. */
  leave() {
    this.asked = null;
  }

  /** Ring the goal, the word one stands on and the way there; once given up, a shortest way instead. */
  ring() {
    const { game } = this;
    if (!game) {
      this.unring();
      return;
    }
    const way = this.givenUp ? game.way : this.way;
    // The map names the first of them.
    const rings = new Map([[game.goal.token_id, OF_GOAL]]);
    if (!this.over) rings.set(way.at(-1)!, OF_PLACE);
    for (const id of way) if (!rings.has(id)) rings.set(id, OF_WAY);
    this.run.ringed = rings;
  }

  /** Give the map back. */
  unring() {
    this.run.ringed = new Map();
  }

  private count() {
    const { value } = this.query;
    if (this.asked === null || !value) return;
    const { reached, moves, fewest } = this;
    this.scores.add({
      ...{ asked: this.asked, step: value.step, games: 1, reached: Number(reached) },
      ...{ moves: reached ? moves : 0, fewest: reached ? fewest : 0 },
      luck: reached ? this.luck : 1,
    });
  }
}
