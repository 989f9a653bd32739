/**
 * Names of districts. If most tokens of a district belong to a planted class, the server names it after that
 * class, which the model never sees; here such a district is named after its own tokens instead. Pure.
 */

import type { Districts } from "../../api/frames";
import type { Vocabulary } from "../../api/vocabulary";

/** Number of tokens in a name, and maximum length of each in characters, as in the server. */
const TOKENS = 3;
const MAX_CHARACTERS = 32;
/** Separator between a class and the token that distinguishes its second district from its first. */
const CLASS_END = ": ";
const WORD = /\p{L}.*\p{L}/su;

const named = new WeakMap<Districts, Districts>();

/** Return whether a name is that of a planted class, or of one of several districts of a class. */
export function isPlantedName(name: string, classes: readonly string[]): boolean {
  return classes.some((one) => (name + CLASS_END).startsWith(one + CLASS_END));
}

/** Return the districts with names from planted classes replaced by their most common tokens. */
export function namedByTokens(
  districts: Districts,
  { tokens, byCount, classes }: Pick<Vocabulary, "tokens" | "byCount" | "classes">,
): Districts {
  const known = named.get(districts);
  if (known) return known;
  const members: string[][] = districts.names.map(() => []);
  for (const id of byCount)
    members[districts.of[id]! - 1]?.push(tokens[id]!.slice(0, MAX_CHARACTERS));
  // Punctuation and single letters name a district only if it has no other tokens.
  const byMeaning = (a: string, b: string) => +WORD.test(b) - +WORD.test(a);
  const names = districts.names.map((name, place) =>
    isPlantedName(name, classes)
      ? members[place]!.sort(byMeaning).slice(0, TOKENS).join(" · ")
      : name,
  );
  const renamed = { ...districts, names };
  named.set(districts, renamed);
  return renamed;
}
