/** A game of *Odd one out*: each round has four words, three of which the model groups together. */

import type { Answer } from "../../api/rest-types";
import { runPath } from "../../api/rest";
import { jsonQuestion, Query } from "../../state/query/query.svelte";
import type { LiveRun } from "../../state/run/live-run.svelte";
import { Scores } from "./scores.svelte";

export type GameAnswer = Answer<"GET /api/runs/{run}/geometry/odd-one-out">;

/** Sizes of the rings around the three words and around the odd one; 1 is the usual size. */
const OF_THREE = 1.1;
const OF_ODD = 2.2;

/** The parts of a run that a game needs. */
export type GameRun = Pick<LiveRun, "id" | "ringed">;

/** The game of each opened run, so that a player who closes the panel can continue. */
const games = new WeakMap<GameRun, OddOneOut>();

export class OddOneOut {
  /** Index of the current round; the number of rounds when the game is over. */
  place = $state(0);
  /** The word chosen in this round; null: not yet. */
  chosen = $state<number | null>(null);
  right = $state(0);
  /** The requested step; null before the first game. */
  asked = $state<number | null>(null);
  readonly query = new Query<GameAnswer>();
  readonly scores: Scores;

  /** Return the game of a run. */
  static of(run: GameRun): OddOneOut {
    const game = games.get(run) ?? new OddOneOut(run);
    games.set(run, game);
    return game;
  }

  private constructor(private readonly run: GameRun) {
    this.scores = new Scores(run.id);
  }

  /** Return the four words of the round; null outside a game, and while they load. */
  get round() {
    return this.asked === null ? null : (this.query.value?.rounds[this.place] ?? null);
  }

  get over(): boolean {
    const { value } = this.query;
    return this.asked !== null && value !== null && this.place >= value.rounds.length;
  }

  /** Begin a game at a step. The n-th game at a step has the same words for every player. */
  start(step: number) {
    this.asked = step;
    this.place = this.right = 0;
    this.chosen = null;
    const path = `geometry/odd-one-out?step=${step}&seed=${this.scores.gamesAt(step)}`;
    this.query.ask(jsonQuestion<GameAnswer>(runPath(this.run.id, path), path));
  }

  /** Choose a word, by index, as the odd one; only the first choice counts. */
  answer(word: number) {
    const { round } = this;
    if (!round || this.chosen !== null || !round.words[word]) return;
    this.chosen = word;
    if (word === round.odd) this.right += 1;
  }

  /** Continue with the next round, or the score. */
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

  /** Return to the choice of games. */
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

  /** Return the map to the run. */
  unring() {
    this.run.ringed = new Map();
  }
}
