/**
 * The history of one token: the motion of its row, its gradient, its distance from another token,
 * and its neighbours at another step.
 */

import {
  runPath,
  type GradientPath,
  type Motion,
  type Neighbours,
  type PairPath,
} from "../../api/rest";
import { Answer } from "../query/query.svelte";

/** Limit on the points of a chart as wide as a panel. */
const MOST = 400;
const NEIGHBOURS = 12;

export class TokenPast {
  readonly motion = new Answer<Motion>();
  readonly gradient = new Answer<GradientPath>();
  readonly pair = new Answer<PairPath>();
  readonly then = new Answer<Neighbours>();
  private of = "";

  constructor(private readonly run: string) {}

  /** Request the history of a token. `version` changes when the run has moved on. */
  ask(token: number | null, pair: number | null, then: number, version: number) {
    const path = (rest: string) => (token === null ? null : runPath(this.run, rest));
    const fresh = this.of !== String(token);
    this.of = String(token);
    const through = (of: string) => path(`tokens/${token}/path?of=${of}&most=${MOST}`);
    this.motion.ask(through("motion"), { fresh, version });
    this.gradient.ask(through("gradient"), { fresh, version });
    // A token's distance from itself is meaningless.
    const other = pair === null || pair === token ? null : through(`pair&with=${pair}`);
    this.pair.ask(other, { fresh: true, version });
    this.then.ask(path(`neighbours?token_id=${token}&k=${NEIGHBOURS}&step=${then}`), { fresh });
  }

  close() {
    for (const answer of [this.motion, this.gradient, this.pair, this.then]) answer.close();
  }
}
