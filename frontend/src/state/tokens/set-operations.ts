/** Set operations on tokens: combined, found by a rule, and written in a link. Pure. */

import type { Districts } from "../../api/frames";
import type { Vocabulary } from "../../api/vocabulary";

/**
 * How a new selection combines with the previous one: it replaces it, adds to it, or is taken out
 * of it.
 */
export type How = "new" | "add" | "take";
export const HOWS: readonly How[] = ["new", "add", "take"];

/** A set that can be found again without naming every token. */
export type Rule = { by: "district" | "class"; which: number } | { by: "search"; text: string };

/** Limit on the token ids in a link. */
export const LINKED = 64;
const LONGEST_SEARCH = 100;

/** Combine two sets; return the ids ascending, each once. */
export function combined(before: readonly number[], found: readonly number[], how: How): number[] {
  const ids = new Set(how === "new" ? found : before);
  if (how === "add") for (const id of found) ids.add(id);
  if (how === "take") for (const id of found) ids.delete(id);
  return [...ids].sort((a, b) => a - b);
}

/** Return the tokens that a rule selects; null while the districts it needs are not known. */
export function tokensOf(
  rule: Rule,
  vocabulary: Vocabulary,
  districts: Districts | null,
): number[] | null {
  const ids: number[] = [];
  if (rule.by === "search") {
    const wanted = rule.text.toLowerCase();
    vocabulary.tokens.forEach((token, id) => token.toLowerCase().includes(wanted) && ids.push(id));
  } else if (rule.by === "class") {
    vocabulary.classOf.forEach((of, id) => of === rule.which && ids.push(id));
  } else {
    if (!districts || districts.vocabulary !== vocabulary.tokens.length) return null;
    const place = districts.ids.indexOf(rule.which) + 1;
    if (place > 0) districts.of.forEach((of, id) => of === place && ids.push(id));
  }
  return ids;
}

/** Format a rule for a link: `district:7`, `class:2`, `search:ing`. */
export function ruleWord(rule: Rule): string {
  return rule.by === "search" ? `search:${rule.text}` : `${rule.by}:${rule.which}`;
}

/** Parse a rule from a link; return null for anything else. */
export function readRule(word: string): Rule | null {
  const which = /^(district|class):(\d{1,9})$/.exec(word);
  if (which) return { by: which[1] as "district" | "class", which: Number(which[2]) };
  const text = word.startsWith("search:") ? word.slice("search:".length) : "";
  return text && text.length <= LONGEST_SEARCH ? { by: "search", text } : null;
}

/**
 * Parse ids from a link, `3,17`, each once, at most `MAX_LINKED_TOKENS`; return null for anything
 * else.
 */
export function readIds(word: string): number[] | null {
  if (!/^\d{1,7}(,\d{1,7})*$/.test(word)) return null;
  return [...new Set(word.split(",").map(Number))].slice(0, LINKED);
}
