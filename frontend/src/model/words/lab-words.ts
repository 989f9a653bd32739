/** The words that a link names for the geometry lab, as comma-separated texts. Hostile. Pure. */

import type { Vocabulary } from "../../api/vocabulary";
import { tokenIdOf } from "../token-reference";
import { wordsToTry } from "./words-to-try";

/** Maximum number of words in a list, as in the server for the ends of an axis and for pairs. */
const MAX_LAB_WORDS = 32;

/** Parse texts, `king,man,woman`, which may repeat; a backslash escapes the next character. */
export function parseLabWords(list: string): string[] {
  const pieces = list.match(/(?:\\.|[^\\,])+/gs) ?? [];
  return pieces.slice(0, MAX_LAB_WORDS).map((piece) => piece.replace(/\\(.)/gs, "$1"));
}

/** Return the ids of a list's words; unknown words are dropped. */
export function labIdsOf(list: string, vocabulary: Vocabulary): number[] {
  return parseLabWords(list)
    .map((text) => tokenIdOf(text, vocabulary))
    .filter((id) => id !== null);
}

/** Format tokens as a list that `labIdsOf` reads back. */
export function formatLabWords(ids: readonly number[], vocabulary: Vocabulary): string {
  return ids.map((id) => (vocabulary.tokens[id] ?? "").replace(/[\\,]/g, "\\$&")).join(",");
}

/** Return the ids of the first list whose words are all known; otherwise `others`. */
function firstKnownWords(
  lists: readonly (readonly string[])[],
  others: readonly number[],
  vocabulary: Vocabulary,
): number[] {
  for (const words of lists) {
    const ids = words.map((word) => tokenIdOf(word, vocabulary)).filter((id) => id !== null);
    if (ids.length === words.length) return ids;
  }
  return [...others];
}

/** Examples that the lab starts with. */
const ANALOGIES = [
  ["king", "man", "woman"],
  ["queen", "woman", "man"],
  ["dog", "puppy", "kitten"],
  ["paris", "france", "italy"],
];
const AXES = [
  ["happy", "sad"],
  ["man", "woman"],
];
const PAIRS = [
  ["dog", "cat", "gravity", "mass", "joy", "happiness"],
  ["dog", "cat"],
];

/** Return up to three words to start with: ones worth trying, then the most common. */
function someWords(vocabulary: Vocabulary): number[] {
  return [...new Set([...wordsToTry(vocabulary), ...vocabulary.byCount.subarray(0, 3)])].slice(
    0,
    3,
  );
}

/** Return a sum that begins with a word, if there is an example of one; otherwise that which the lab starts with. */
export function analogyAbout(word: string | undefined, vocabulary: Vocabulary): number[] {
  const about = ANALOGIES.filter(([first]) => first === word);
  return firstKnownWords([...about, ...ANALOGIES], someWords(vocabulary), vocabulary);
}

interface NamedWords {
  readonly of: string;
  readonly to: string;
}

/** Return a, b and c of a - b + c; fewer than three if the vocabulary has too few words. */
export function analogyWords({ of }: Pick<NamedWords, "of">, vocabulary: Vocabulary): number[] {
  const named = labIdsOf(of, vocabulary);
  return named.length === 3 ? named : firstKnownWords(ANALOGIES, someWords(vocabulary), vocabulary);
}

/** Return the words of both ends of an axis; empty if there are none. */
export function axisEnds({ of, to }: NamedWords, vocabulary: Vocabulary): [number[], number[]] {
  const named = [of, to].map((list) => labIdsOf(list, vocabulary));
  if (named[0]!.length && named[1]!.length) return [named[0]!, named[1]!];
  const [one, other] = firstKnownWords(AXES, someWords(vocabulary), vocabulary);
  return one === undefined || other === undefined ? [[], []] : [[one], [other]];
}

/** Return pairs of distinct words. */
export function labPairs(
  { of }: Pick<NamedWords, "of">,
  vocabulary: Vocabulary,
): [number, number][] {
  const named = labIdsOf(of, vocabulary);
  const ids =
    named.length > 1
      ? named
      : firstKnownWords(PAIRS, someWords(vocabulary).slice(0, 2), vocabulary);
  const pairs: [number, number][] = [];
  for (let i = 0; i + 1 < ids.length; i += 2)
    if (ids[i] !== ids[i + 1]) pairs.push([ids[i]!, ids[i + 1]!]);
  return pairs;
}
