/**
 * The history of one token: the motion of its row, its gradient, its distance from another token, and its
 * neighbours at another step.
 */

import { runPath } from "../../api/rest";
import type { GradientHistory, MotionHistory, Neighbours, PairHistory } from "../../api/rest-types";
import { jsonQuestion, Query } from "../../state/query/query.svelte";

/** Limit on the points of a chart as wide as a panel. */
const MAX_POINTS = 400;
const NEIGHBOURS = 12;

export class TokenHistory {
  readonly motion = new Query<MotionHistory>();
  readonly gradient = new Query<GradientHistory>();
  readonly pair = new Query<PairHistory>();
  readonly pastNeighbours = new Query<Neighbours>();

  constructor(private readonly run: string) {}

  /**
   * Request the neighbours of a token at the compared step, and with `curves` its history too. `version`
   * changes when the run has moved on.
   */
  request(
    token: number | null,
    curves: boolean,
    comparedToken: number | null,
    comparedStep: number,
    version: number,
  ) {
    const question = <T>(rest: string, subject = "", asOf = version) =>
      token === null ? null : jsonQuestion<T>(runPath(this.run, rest), `${token} ${subject}`, asOf);
    const path = (of: string) => `tokens/${token}/path?of=${of}&most=${MAX_POINTS}`;
    this.motion.ask(curves ? question(path("motion")) : null);
    this.gradient.ask(curves ? question(path("gradient")) : null);
    // A token's distance from itself is meaningless.
    const paired = curves && comparedToken !== null && comparedToken !== token;
    this.pair.ask(
      paired ? question(path(`pair&with=${comparedToken}`), String(comparedToken)) : null,
    );
    const near = `neighbours?token_id=${token}&k=${NEIGHBOURS}&step=${comparedStep}`;
    this.pastNeighbours.ask(question(near, "", 0));
  }

  close() {
    for (const query of [this.motion, this.gradient, this.pair, this.pastNeighbours]) query.close();
  }
}
