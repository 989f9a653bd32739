/** Matching of tokens between two maps: by id within a run, by text between two runs. Pure. */

import type { Vocabulary } from "../../api/vocabulary";

export class TokenMatching {
  private readonly same: boolean;
  private readonly idsInSecond = new Map<string, number>();
  private readonly idsInFirst = new Map<string, number>();

  constructor(
    readonly first: Vocabulary,
    readonly second: Vocabulary,
  ) {
    this.same = first === second || first.run === second.run;
    if (this.same) return;
    first.tokens.forEach((text, id) => this.idsInFirst.set(text, id));
    second.tokens.forEach((text, id) => this.idsInSecond.set(text, id));
  }

  /** Return the second map's id of a token of the first; null where it has none. */
  toSecond(id: number): number | null {
    return this.matchingId(id, this.first, this.idsInSecond, this.second);
  }

  /** Return the first map's id of a token of the second; null where it has none. */
  toFirst(id: number): number | null {
    return this.matchingId(id, this.second, this.idsInFirst, this.first);
  }

  /** Return the second map's ids of the tokens that it shares. */
  allToSecond(ids: number[]): number[] {
    return ids.flatMap((id) => this.toSecond(id) ?? []);
  }

  /** Return the ids of all shared tokens, in the first map and in the second. */
  commonIds(): [Uint32Array, Uint32Array] {
    const inFirst: number[] = [];
    const inSecond: number[] = [];
    this.first.tokens.forEach((_, id) => {
      const other = this.toSecond(id);
      if (other === null) return;
      inFirst.push(id);
      inSecond.push(other);
    });
    return [Uint32Array.from(inFirst), Uint32Array.from(inSecond)];
  }

  private matchingId(
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
