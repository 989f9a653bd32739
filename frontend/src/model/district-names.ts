/**
 * Names of districts. Where most tokens of one are of a planted class, the server gives it the name of that class, which
 * the model is never told; here such a district is named after its own tokens instead. Pure.
 */

import type { Districts } from "../api/frames";
import type { Vocabulary } from "../api/vocabulary";

/** Number of tokens in a name, and most characters of each, as the server's. */
const TOKENS = 3;
const MAX_CHARACTERS = 32;
/** Sign between a class and the token that tells its second district from its first. */
const CLASS_END = ": ";
const WORD = /\p{L}.*\p{L}/su;

const named = new WeakMap<Districts, Districts>();

/** Return whether a name is that of a planted class, or of one of several districts of a class. */
export function isPlantedName(name: string, classes: readonly string[]): boolean {
  return classes.some((one) => (name + CLASS_END).startsWith(one + CLASS_END));
}

/** Return districts of which none is named after a planted class: instead after its most common tokens. */
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
