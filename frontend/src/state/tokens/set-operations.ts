/** Set operations on tokens: combined, found by a rule, and written in a link. Pure. */

import type { Districts } from "../../api/frames";
import type { Vocabulary } from "../../api/vocabulary";
import type { SelectionRule } from "../../model/view/selection-rule";

/** How a new selection combines with the previous one: replaces it, adds to it, or is removed from it. */
export type SelectionMode = "new" | "add" | "take";
export const SELECTION_MODES: readonly SelectionMode[] = ["new", "add", "take"];

/** Combine two sets; return the ids ascending, each once. */
export function combineSets(
  before: readonly number[],
  found: readonly number[],
  mode: SelectionMode,
): number[] {
  const ids = new Set(mode === "new" ? found : before);
  if (mode === "add") for (const id of found) ids.add(id);
  if (mode === "take") for (const id of found) ids.delete(id);
  return [...ids].sort((a, b) => a - b);
}

/** Return the tokens that a rule selects; null while the districts it needs are not known. */
export function tokensOfRule(
  rule: SelectionRule,
  vocabulary: Vocabulary,
  districts: Districts | null,
): number[] | null {
  const ids: number[] = [];
  if (rule.by === "search") {
    const search = rule.text.toLowerCase();
    vocabulary.tokens.forEach((token, id) => token.toLowerCase().includes(search) && ids.push(id));
  } else if (rule.by === "class") {
    vocabulary.classOf.forEach((of, id) => of === rule.which && ids.push(id));
  } else {
    if (!districts || districts.vocabulary !== vocabulary.tokens.length) return null;
    const index = districts.ids.indexOf(rule.which) + 1;
    if (index > 0) districts.of.forEach((of, id) => of === index && ids.push(id));
  }
  return ids;
}
