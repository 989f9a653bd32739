/**
 * The history of one token: the motion of its row, its gradient, its distance from another token,
 * and its neighbours at another step.
 */

import { runPath } from "../../api/rest";
import type { GradientPath, Motion, Neighbours, PairPath } from "../../api/rest-types";
import { Query } from "../query/query.svelte";

/** Limit on the points of a chart as wide as a panel. */
const MAX_POINTS = 400;
const NEIGHBOURS = 12;

export class TokenHistory {
  readonly motion = new Query<Motion>();
  readonly gradient = new Query<GradientPath>();
  readonly pair = new Query<PairPath>();
  readonly pastNeighbours = new Query<Neighbours>();
  private lastToken = "";

  constructor(private readonly run: string) {}

  /** Request the history of a token. `version` changes when the run has moved on. */
  request(
    token: number | null,
    comparedToken: number | null,
    comparedStep: number,
    version: number,
  ) {
    const path = (rest: string) => (token === null ? null : runPath(this.run, rest));
    const fresh = this.lastToken !== String(token);
    this.lastToken = String(token);
    const through = (of: string) => path(`tokens/${token}/path?of=${of}&most=${MAX_POINTS}`);
    this.motion.request(through("motion"), { fresh, version });
    this.gradient.request(through("gradient"), { fresh, version });
    // A token's distance from itself is meaningless.
    const other =
      comparedToken === null || comparedToken === token
        ? null
        : through(`pair&with=${comparedToken}`);
    this.pair.request(other, { fresh: true, version });
    this.pastNeighbours.request(
      path(`neighbours?token_id=${token}&k=${NEIGHBOURS}&step=${comparedStep}`),
      {
        fresh,
      },
    );
  }

  close() {
    for (const query of [this.motion, this.gradient, this.pair, this.pastNeighbours]) query.close();
  }
}
