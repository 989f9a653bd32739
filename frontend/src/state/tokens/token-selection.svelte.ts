/**
 * The tokens that this viewer selected together: with a lasso on the map, or by district, class,
 * neighbourhood or text. A link lists up to `MAX_LINKED_TOKENS` of them; larger sets are named by the rule
 * that found them, if any.
 */

import { requestJson, runPath } from "../../api/rest";
import type { Neighbours } from "../../api/rest-types";
import type { Districts } from "../../api/frames";
import type { Vocabulary } from "../../api/vocabulary";
import { MAX_LINKED_TOKENS, tokenIdOf, type TokenReference } from "../../model/token-reference";
import type { ViewChange } from "../../model/view/view-state";
import { combineSets, tokensOfRule, type SelectionMode } from "./set-operations";
import { parseRule, formatRule, type SelectionRule } from "../../model/view/selection-rule";

/** Limit on the sets remembered in full. */
const MAX_REMEMBERED = 20;

export class TokenSelection {
  /** Ids, ascending. */
  ids = $state.raw<readonly number[]>([]);
  /** How a new selection combines with the previous one. */
  mode = $state<SelectionMode>("new");
  /** Effect of dragging on the map. */
  tool = $state<"pan" | "lasso">("pan");
  /** Set when the map is rotated to hold the selected tokens still. */
  anchored = $state(false);
  /** The rule that found exactly these tokens; null if they were combined in another way. */
  rule = $state.raw<SelectionRule | null>(null);
  /** Number of selections so far: it notifies observers even when the size stays the same. */
  changes = $state(0);

  /** The selection that a link requested, until it can be resolved. */
  private pending = $state.raw<{
    tokens: readonly TokenReference[] | null;
    rule: SelectionRule | null;
  } | null>(null);
  /** Sets too large for a link, by the part that a link lists: Back restores them in full. */
  private readonly remembered = new Map<string, readonly number[]>();

  /**
   * Return the selection's part of the view state. Without a rule, a large set is truncated (`truncated`).
   */
  toViewState(): ViewChange {
    const { ids, rule, pending } = this;
    const align = this.anchored || null;
    if (pending) {
      const gather = pending.rule && formatRule(pending.rule);
      return { tokens: pending.tokens, gather, align };
    }
    if (ids.length > MAX_LINKED_TOKENS && rule)
      return { tokens: null, gather: formatRule(rule), align };
    return { tokens: ids.length ? linkedPart(ids) : null, gather: null, align };
  }

  /** Adopt a view's selection; `resolvePending` resolves it. */
  applyView({ tokens, gather, align }: ViewChange) {
    if (align !== undefined) this.anchored = align !== null;
    if (tokens === undefined && gather === undefined) return;
    const rule = gather ? parseRule(gather) : null;
    if (tokens ?? rule) this.pending = { tokens: tokens ?? null, rule };
    else if (this.ids.length || this.pending) this.clear();
  }

  /** Return whether a link would hold only the first tokens. */
  get truncated(): boolean {
    return this.ids.length > MAX_LINKED_TOKENS && !this.rule;
  }

  /** Reset the tool and drop the sets of another run. */
  switchRun() {
    this.remembered.clear();
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
    this.remember();
  }

  /** Select the tokens of a rule; none if they are not known yet. */
  selectByRule(rule: SelectionRule, vocabulary: Vocabulary, districts: Districts | null) {
    this.select(tokensOfRule(rule, vocabulary, districts) ?? [], this.mode, rule);
  }

  /** Fetch a token and its `k` nearest neighbours in the space, at a past step or now. Throws `ApiError`. */
  async fetchNeighbourhood(
    run: string,
    token: number,
    k: number,
    step: number | null,
  ): Promise<number[]> {
    const stepParameter = step === null ? "" : `&step=${step}`;
    const path = runPath(run, `neighbours?token_id=${token}&k=${k}${stepParameter}`);
    const { items } = await requestJson<Neighbours>(path);
    return [token, ...items.map(({ token_id: id }) => id)];
  }

  /** Resolve the selection of a link, once the tokens and districts are loaded. */
  resolvePending(vocabulary: Vocabulary | null, districts: Districts | null) {
    if (!this.pending || !vocabulary) return;
    const { tokens, rule } = this.pending;
    const known = tokens?.map((token) => tokenIdOf(token, vocabulary)).filter((id) => id !== null);
    const found = known ?? (rule && tokensOfRule(rule, vocabulary, districts));
    if (!found) return;
    const { anchored } = this;
    this.select(this.remembered.get(found.join()) ?? found, "new", known ? null : rule);
    this.anchored = anchored && found.length > 0;
  }

  /** Remember a set too large for a link. */
  private remember() {
    if (!this.truncated) return;
    const key = linkedPart(this.ids).join();
    this.remembered.delete(key);
    this.remembered.set(key, this.ids);
    for (const oldest of this.remembered.keys()) {
      if (this.remembered.size <= MAX_REMEMBERED) break;
      this.remembered.delete(oldest);
    }
  }
}

function linkedPart(ids: readonly number[]): readonly number[] {
  return ids.slice(0, MAX_LINKED_TOKENS);
}
