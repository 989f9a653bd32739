/** Rules that select tokens, in the form of links. Pure. */

/** A set that can be found again without naming every token. */
export type SelectionRule =
  { by: "district" | "class"; which: number } | { by: "search"; text: string };

const MAX_SEARCH_LENGTH = 100;

/** Format a rule for a link: `district:7`, `class:2`, `search:ing`. */
export function formatRule(rule: SelectionRule): string {
  return rule.by === "search" ? `search:${rule.text}` : `${rule.by}:${rule.which}`;
}

/** Parse a rule from a link; return null for anything else. */
export function parseRule(word: string): SelectionRule | null {
  const which = /^(district|class):(\d{1,9})$/.exec(word);
  if (which) return { by: which[1] as "district" | "class", which: Number(which[2]) };
  const text = word.startsWith("search:") ? word.slice("search:".length) : "";
  return text && text.length <= MAX_SEARCH_LENGTH ? { by: "search", text } : null;
}
