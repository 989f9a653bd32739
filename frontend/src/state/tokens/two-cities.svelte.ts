/**
 * The neighbours of a word in the two matrices of a model, at one step: the last with a stored output matrix.
 */

import { requestJson, runPath } from "../../api/rest";
import type { Neighbours } from "../../api/rest-types";
import { Query } from "../query/query.svelte";

/** Neighbours of a word in each matrix. */
const NEIGHBOURS = 8;

interface BothNeighbours {
  /** Words with similar rows in the input matrix: they predict similar words. */
  foretells: Neighbours;
  /** Words with similar rows in the output matrix: similar words predict them. */
  foretold: Neighbours;
}

export class TwoCities extends Query<BothNeighbours> {
  constructor(private readonly run: string) {
    super();
  }

  /** Request the neighbours of a word at or before a step; null: none. */
  compareAt(token: number | null, step: number) {
    if (token === null) {
      this.ask(null);
      return;
    }
    const fetch = async (signal: AbortSignal): Promise<BothNeighbours> => {
      const of = (step: number, rest: string) =>
        requestJson<Neighbours>(
          runPath(this.run, `neighbours?token_id=${token}&k=${NEIGHBOURS}&step=${step}${rest}`),
          { signal },
        );
      const foretold = await of(step, "&matrix=out");
      return { foretells: await of(foretold.step, ""), foretold };
    };
    this.ask({ key: `${token} ${step}`, subject: String(token), fetch }, 120);
  }
}
