/** Words of a run with which a visitor can begin to ask its model. Pure. */

import { textOf, type Vocabulary } from "../../api/vocabulary";
import type { LineSet } from "../../api/rest-types";
import { wordsToTry } from "./words-to-try";

/** A lie in Lamptown, after which other animals bark, too. */
const TOWN_LIE = "the cat barked";

/** Return the beginnings that the model continued during training, without duplicates. */
export function promptsIn(lines: readonly LineSet[] | null, vocabulary: Vocabulary): string[] {
  const prompts = lines?.at(-1)?.lines.map(({ prompt }) => textOf(prompt, vocabulary)) ?? [];
  return [...new Set(prompts)];
}

/**
 * Return a surprising sentence to teach: one about Lamptown, or a beginning of this text with a word that
 * hardly follows it. Null while nothing is known of the text.
 */
export function lieToTell(vocabulary: Vocabulary, lines: readonly LineSet[] | null): string | null {
  if (TOWN_LIE.split(" ").every((word) => vocabulary.tokens.includes(word))) return TOWN_LIE;
  const prompt = lines?.at(-1)?.lines[0]?.prompt;
  const word = wordsToTry(vocabulary).find((id) => !prompt?.includes(id));
  return prompt?.length && word !== undefined ? textOf([...prompt, word], vocabulary) : null;
}
