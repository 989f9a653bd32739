/**
 * The tokens this viewer selected together: with a lasso on the map, or by district, class,
 * neighbourhood or text. The URL lists up to `MAX_LINKED_TOKENS` ids, and larger sets by the rule
 * that found them, if one did.
 */

import { ask, runPath, type Neighbours } from "../../api/rest";
import type { Districts } from "../../api/frames";
import type { Vocabulary } from "../../api/vocabulary";
import type { Address } from "../../model/view-state";
import { combined, tokensOf, type How } from "./set-operations";
import { LINKED, readRule, ruleWord, type Rule } from "../../model/selection-rule";

export class Gathered {
  /** Ids, ascending. */
  ids = $state.raw<readonly number[]>([]);
  /** How a new selection combines with the previous one. */
  how = $state<How>("new");
  /** Effect of dragging on the map: it pans, or selects with a lasso or a box. */
  drag = $state<"pan" | "lasso" | "select">("pan");
  /** Set when the map is rotated to hold the selected tokens still. */
  aligning = $state(false);
  /** The rule that found exactly these tokens; null where they were combined in another way. */
  rule = $state.raw<Rule | null>(null);
  /** Number of selections so far: it notifies observers even when the size stays the same. */
  times = $state(0);

  /** The selection that a link requested, until it can be resolved. */
  private wished: { ids: number[] | null; rule: Rule | null } | null = null;

  constructor(wish: Address) {
    if (wish.tokens || wish.gather) {
      this.wished = { ids: wish.tokens, rule: wish.gather === null ? null : readRule(wish.gather) };
    }
    this.aligning = wish.align !== null;
  }

  /**
   * Return the selection's part of the view state. Without a rule, a large set is cut: `truncated`.
   */
  address(): Partial<Address> {
    const { ids, rule, wished } = this;
    const align = this.aligning || null;
    if (wished) {
      return { tokens: wished.ids, gather: wished.rule && ruleWord(wished.rule), align };
    }
    if (ids.length > LINKED && rule) return { gather: ruleWord(rule), align };
    return { tokens: ids.length ? ids.slice(0, LINKED) : null, align };
  }

  /** Return whether a link would hold only the first tokens. */
  get partly(): boolean {
    return this.ids.length > LINKED && !this.rule;
  }

  /** Drop a selection that belongs to another run, where the ids differ. */
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
    // Adding to an empty selection is the same as replacing it.
    const alone = how === "new" || (how === "add" && !this.ids.length);
    this.ids = combined(this.ids, found, how);
    this.rule = alone ? rule : null;
    this.wished = null;
    if (!this.ids.length) this.aligning = false;
    this.times += 1;
  }

  /** Select the tokens of a rule; none where they are not known yet. */
  gatherBy(rule: Rule, vocabulary: Vocabulary, districts: Districts | null) {
    this.gather(tokensOf(rule, vocabulary, districts) ?? [], this.how, rule);
  }

  /** Select a token and its `k` nearest in the space, at a past step or now. Throws `ApiError`. */
  async gatherNear(run: string, token: number, k: number, step: number | null): Promise<void> {
    const at = step === null ? "" : `&step=${step}`;
    const path = runPath(run, `neighbours?token_id=${token}&k=${k}${at}`);
    const { items } = await ask<Neighbours>(path);
    this.gather([token, ...items.map(({ token_id: id }) => id)]);
  }

  /** Select what a link requested, once the tokens and districts are loaded. */
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
