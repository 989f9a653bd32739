/** Which token of one map is which of another: by id within a run, by text between two. Pure. */

import type { Vocabulary } from "../wire/vocabulary";

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

  /** The token of the second map that one of the first is; null where it has none. */
  there(id: number): number | null {
    return this.other(id, this.here, this.idsThere, this.beside);
  }

  /** The token of the first map that one of the second is; null where it has none. */
  back(id: number): number | null {
    return this.other(id, this.beside, this.idsHere, this.here);
  }

  /** Those of the first map that the second has too, as ids there. */
  allThere(ids: number[]): number[] {
    return ids.flatMap((id) => this.there(id) ?? []);
  }

  allBack(ids: number[]): number[] {
    return ids.flatMap((id) => this.back(id) ?? []);
  }

  /** Every token that both have: its id here, and its id there. */
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
