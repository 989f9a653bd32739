/**
 * The tokens this viewer has gathered, to look at them together: drawn around on the map, or found by their
 * district, their class, their neighbours or their text. Up to some dozens stand in the address by id; more by the
 * rule that found them, where one did.
 */

import { ask, runPath, type Neighbours } from "../wire/rest";
import type { Districts } from "../wire/frames";
import type { Vocabulary } from "../wire/vocabulary";
import type { Address } from "./address";
import { combined, LINKED, readRule, ruleWord, tokensOf, type How, type Rule } from "./gathering";

export class Gathered {
  /** Ids, ascending. */
  ids = $state.raw<readonly number[]>([]);
  /** What becomes of those gathered before, when others are. */
  how = $state<How>("new");
  /** What dragging on the map does: moves it, or draws around tokens, freely or a box. */
  drag = $state<"pan" | "lasso" | "select">("pan");
  /** The map is turned so that the gathered tokens stay where they are. */
  aligning = $state(false);
  /** What found exactly these; null where they were put together in another way. */
  rule = $state.raw<Rule | null>(null);
  /** How often something was gathered: for those who listen, also when the number stays the same. */
  times = $state(0);

  /** What a link asked for, until it can be found. */
  private wished: { ids: number[] | null; rule: Rule | null } | null = null;

  constructor(wish: Address) {
    if (wish.tokens || wish.gather) {
      this.wished = { ids: wish.tokens, rule: wish.gather === null ? null : readRule(wish.gather) };
    }
    this.aligning = wish.align !== null;
  }

  /** Its part of the address. A large set that no rule finds again stands there in part: `partly`. */
  address(): Partial<Address> {
    const { ids, rule, wished } = this;
    const align = this.aligning || null;
    if (wished) {
      return { tokens: wished.ids, gather: wished.rule && ruleWord(wished.rule), align };
    }
    if (ids.length > LINKED && rule) return { gather: ruleWord(rule), align };
    return { tokens: ids.length ? ids.slice(0, LINKED) : null, align };
  }

  /** A link holds only the first ones. */
  get partly(): boolean {
    return this.ids.length > LINKED && !this.rule;
  }

  /** Of no token any more: another run's have other ids. */
  leave() {
    this.ids = [];
    this.rule = this.wished = null;
    this.aligning = false;
    this.drag = "pan";
  }

  letGo() {
    this.ids = [];
    this.rule = this.wished = null;
    this.aligning = false;
    this.times += 1;
  }

  gather(found: readonly number[], how: How = this.how, rule: Rule | null = null) {
    // What is added to nothing is alone.
    const alone = how === "new" || (how === "add" && !this.ids.length);
    this.ids = combined(this.ids, found, how);
    this.rule = alone ? rule : null;
    this.wished = null;
    if (!this.ids.length) this.aligning = false;
    this.times += 1;
  }

  /** The tokens of a rule, as far as that is known. */
  gatherBy(rule: Rule, vocabulary: Vocabulary, districts: Districts | null) {
    this.gather(tokensOf(rule, vocabulary, districts) ?? [], this.how, rule);
  }

  /** A token and its `k` nearest in the space, at a step of the past or now. Throws `Refusal`. */
  async gatherNear(run: string, token: number, k: number, step: number | null): Promise<void> {
    const at = step === null ? "" : `&step=${step}`;
    const path = runPath(run, `neighbours?token_id=${token}&k=${k}${at}`);
    const { items } = await ask<Neighbours>(path);
    this.gather([token, ...items.map(({ token_id: id }) => id)]);
  }

  /** What a link asked for, once tokens and districts are there. */
  resolve(vocabulary: Vocabulary | null, districts: Districts | null) {
    if (!this.wished || !vocabulary) return;
    const { ids, rule } = this.wished;
    const own = ids?.filter((id) => id < vocabulary.tokens.length);
    const found = own ?? (rule && tokensOf(rule, vocabulary, districts));
    if (!found) return;
    const { aligning } = this;
    this.gather(found, "new", own ? null : rule);
    this.aligning = aligning && found.length > 0;
  }
}
