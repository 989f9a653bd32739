/**
 * The tokens this viewer selected together: with a lasso on the map, or by district, class,
 * neighbourhood or text. The URL lists up to `MAX_LINKED_TOKENS` ids, and larger sets by the rule
 * that found them, if one did.
 */

import { requestJson, runPath } from "../../api/rest";
import type { Neighbours } from "../../api/rest-types";
import type { Districts } from "../../api/frames";
import type { Vocabulary } from "../../api/vocabulary";
import type { ViewState } from "../../model/view-state";
import { combineSets, tokensOfRule, type SelectionMode } from "./set-operations";
import {
  MAX_LINKED_TOKENS,
  parseRule,
  formatRule,
  type SelectionRule,
} from "../../model/selection-rule";

export class TokenSelection {
  /** Ids, ascending. */
  ids = $state.raw<readonly number[]>([]);
  /** How a new selection combines with the previous one. */
  mode = $state<SelectionMode>("new");
  /** Effect of dragging on the map: it pans, or selects with a lasso or a box. */
  tool = $state<"pan" | "lasso" | "select">("pan");
  /** Set when the map is rotated to hold the selected tokens still. */
  anchored = $state(false);
  /** The rule that found exactly these tokens; null where they were combined in another way. */
  rule = $state.raw<SelectionRule | null>(null);
  /** Number of selections so far: it notifies observers even when the size stays the same. */
  changes = $state(0);

  /** The selection that a link requested, until it can be resolved. */
  private pending: { ids: number[] | null; rule: SelectionRule | null } | null = null;

  constructor(initialView: ViewState) {
    if (initialView.tokens || initialView.gather) {
      this.pending = {
        ids: initialView.tokens,
        rule: initialView.gather === null ? null : parseRule(initialView.gather),
      };
    }
    this.anchored = initialView.align !== null;
  }

  /**
   * Return the selection's part of the view state. Without a rule, a large set is cut: `truncated`.
   */
  toViewState(): Partial<ViewState> {
    const { ids, rule, pending } = this;
    const align = this.anchored || null;
    if (pending) {
      return { tokens: pending.ids, gather: pending.rule && formatRule(pending.rule), align };
    }
    if (ids.length > MAX_LINKED_TOKENS && rule) return { gather: formatRule(rule), align };
    return { tokens: ids.length ? ids.slice(0, MAX_LINKED_TOKENS) : null, align };
  }

  /** Return whether a link would hold only the first tokens. */
  get truncated(): boolean {
    return this.ids.length > MAX_LINKED_TOKENS && !this.rule;
  }

  /** Drop a selection that belongs to another run, where the ids differ. */
  reset() {
    this.ids = [];
    this.rule = this.pending = null;
    this.anchored = false;
    this.tool = "pan";
  }

  clear() {
    this.ids = [];
    this.rule = this.pending = null;
    this.anchored = false;
    this.changes += 1;
  }

  select(
    found: readonly number[],
    mode: SelectionMode = this.mode,
    rule: SelectionRule | null = null,
  ) {
    // Adding to an empty selection is the same as replacing it.
    const alone = mode === "new" || (mode === "add" && !this.ids.length);
    this.ids = combineSets(this.ids, found, mode);
    this.rule = alone ? rule : null;
    this.pending = null;
    if (!this.ids.length) this.anchored = false;
    this.changes += 1;
  }

  /** Select the tokens of a rule; none where they are not known yet. */
  selectByRule(rule: SelectionRule, vocabulary: Vocabulary, districts: Districts | null) {
    this.select(tokensOfRule(rule, vocabulary, districts) ?? [], this.mode, rule);
  }

  /** Select a token and its `k` nearest in the space, at a past step or now. Throws `ApiError`. */
  async selectNeighbours(
    run: string,
    token: number,
    k: number,
    step: number | null,
  ): Promise<void> {
    const stepParameter = step === null ? "" : `&step=${step}`;
    const path = runPath(run, `neighbours?token_id=${token}&k=${k}${stepParameter}`);
    const { items } = await requestJson<Neighbours>(path);
    this.select([token, ...items.map(({ token_id: id }) => id)]);
  }

  /** Select what a link requested, once the tokens and districts are loaded. */
  resolvePending(vocabulary: Vocabulary | null, districts: Districts | null) {
    if (!this.pending || !vocabulary) return;
    const { ids, rule } = this.pending;
    const known = ids?.filter((id) => id < vocabulary.tokens.length);
    const found = known ?? (rule && tokensOfRule(rule, vocabulary, districts));
    if (!found) return;
    const { anchored } = this;
    this.select(found, "new", known ? null : rule);
    this.anchored = anchored && found.length > 0;
  }
}
