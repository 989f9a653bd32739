/** The matching of tokens between two maps: by id within a run, by text between two runs. Pure. */

import type { Vocabulary } from "../../api/vocabulary";

export class Twins {
  private readonly same: boolean;
  private readonly idsThere = new Map<string, number>();
  private readonly idsHere = new Map<string, number>();

  constructor(
    readonly here: Vocabulary,
    readonly beside: Vocabulary,
  ) {
    this.same = here === beside || here.run === beside.run;
    if (this.same) return;
    here.tokens.forEach((text, id) => this.idsHere.set(text, id));
    beside.tokens.forEach((text, id) => this.idsThere.set(text, id));
  }

  /** Return the second map's id of a token of the first; null where it has none. */
  there(id: number): number | null {
    return this.other(id, this.here, this.idsThere, this.beside);
  }

  /** Return the first map's id of a token of the second; null where it has none. */
  back(id: number): number | null {
    return this.other(id, this.beside, this.idsHere, this.here);
  }

  /** Return the second map's ids of those tokens that it shares. */
  allThere(ids: number[]): number[] {
    return ids.flatMap((id) => this.there(id) ?? []);
  }

  allBack(ids: number[]): number[] {
    return ids.flatMap((id) => this.back(id) ?? []);
  }

  /** Return the ids of all shared tokens, in the first map and in the second. */
  shared(): [Uint32Array, Uint32Array] {
    const here: number[] = [];
    const there: number[] = [];
    this.here.tokens.forEach((_, id) => {
      const other = this.there(id);
      if (other === null) return;
      here.push(id);
      there.push(other);
    });
    return [Uint32Array.from(here), Uint32Array.from(there)];
  }

  private other(
    id: number,
    from: Vocabulary,
    ids: Map<string, number>,
    to: Vocabulary,
  ): number | null {
    if (this.same) return id < to.tokens.length ? id : null;
    const text = from.tokens[id];
    return text === undefined ? null : (ids.get(text) ?? null);
  }
}
