/** A game of *Odd one out*: four words a round, of which the model has put three together at the step played at. */

import type { Answer } from "../../api/rest-types";
import { runPath } from "../../api/rest";
import { jsonQuestion, Query } from "../../state/query/query.svelte";
import type { LiveRun } from "../../state/run/live-run.svelte";
import { Scores } from "./scores.svelte";

export type GameAnswer = Answer<"GET /api/runs/{run}/geometry/odd-one-out">;

/** Sizes of the rings around the three words and around the odd one, 1 as usual. */
const OF_THREE = 1.1;
const OF_ODD = 2.2;

/** The parts of a run that a game needs. */
export type GameRun = Pick<LiveRun, "id" | "ringed">;

/** The game on each run that was opened, so that a player who closes the panel can go on. */
const games = new WeakMap<GameRun, OddOneOut>();

export class OddOneOut {
  /** The round that is played, from 0 on; the number of rounds when all are over. */
  place = $state(0);
  /** The word that was chosen in this round; null: not yet. */
  chosen = $state<number | null>(null);
  right = $state(0);
  /** The step that was asked for; null before the first game. */
  asked = $state<number | null>(null);
  readonly query = new Query<GameAnswer>();
  readonly scores: Scores;

  /** Return the game on a run. */
  static of(run: GameRun): OddOneOut {
    const game = games.get(run) ?? new OddOneOut(run);
    games.set(run, game);
    return game;
  }

  private constructor(private readonly run: GameRun) {
    this.scores = new Scores(run.id);
  }

  /** Return the four words of the round; null outside a game, and before they have come. */
  get round() {
    return this.asked === null ? null : (this.query.value?.rounds[this.place] ?? null);
  }

  get over(): boolean {
    const { value } = this.query;
    return this.asked !== null && value !== null && this.place >= value.rounds.length;
  }

  /** Begin a game at a step. The first one there has the same words for everybody, and so has the second. */
  start(step: number) {
    this.asked = step;
    this.place = this.right = 0;
    this.chosen = null;
    const path = `geometry/odd-one-out?step=${step}&seed=${this.scores.gamesAt(step)}`;
    this.query.ask(jsonQuestion<GameAnswer>(runPath(this.run.id, path), path));
  }

  /** Name a word, by its place, as the odd one; only the first counts. */
  answer(word: number) {
    const { round } = this;
    if (!round || this.chosen !== null || !round.words[word]) return;
    this.chosen = word;
    if (word === round.odd) this.right += 1;
  }

  /** Go on to the next round, or to the score. */
  next() {
    const { value } = this.query;
    if (this.asked === null || !value || this.chosen === null) return;
    this.place += 1;
    this.chosen = null;
    if (this.place === value.rounds.length)
      this.scores.add({
        ...{ asked: this.asked, step: value.step, games: 1 },
        ...{ right: this.right, rounds: value.rounds.length, chance: value.chance },
      });
  }

  /** Go back to where a game is chosen. */
  leave() {
    this.asked = null;
  }

  /** Ring the words of an answered round on the map, the odd one wider. */
  ring() {
    const { round, chosen } = this;
    this.run.ringed = new Map(
      round && chosen !== null
        ? round.words.map(({ token_id }, word) => [
            token_id,
            word === round.odd ? OF_ODD : OF_THREE,
          ])
        : [],
    );
  }

  /** Give the map back. */
  unring() {
    this.run.ringed = new Map();
  }
}
