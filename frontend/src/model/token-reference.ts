/**
 * References to tokens in links and stored views: by text if it is unique in the vocabulary, so that they
 * outlive the run, else by id. Pure.
 */

import { withoutMark, type Vocabulary } from "../api/vocabulary";

/** A token: its id, or its text. */
export type TokenReference = number | string;

/** Limit on the tokens that a link names. */
export const MAX_LINKED_TOKENS = 64;
/** Maximum length of one token's text, in UTF-16 units, and of an encoded list of texts. */
const MAX_TEXT_LENGTH = 100;
const MAX_LIST_LENGTH = 2_000;
const MAX_ID_DIGITS = 9;

/** Parse an id; return null for anything else. */
export function parseTokenId(word: string): number | null {
  return /^\d+$/.test(word) && word.length <= MAX_ID_DIGITS ? Number(word) : null;
}

/** Parse the text of a token; return null if it is empty, too long, or broken. */
export function parseTokenText(word: string): string | null {
  return isLinkable(word) ? word : null;
}

/** Parse ids, `3,17`, each once, at most `MAX_LINKED_TOKENS`; return null for anything else. */
export function parseTokenIds(word: string): number[] | null {
  if (!/^\d{1,7}(,\d{1,7})*$/.test(word)) return null;
  return [...new Set(word.split(",").map(Number))].slice(0, MAX_LINKED_TOKENS);
}

/**
 * Parse texts, `dog,cat`, each once, at most `MAX_LINKED_TOKENS`; a backslash escapes the next character.
 * Return null if no text is left.
 */
export function parseTokenTexts(word: string): string[] | null {
  if (word.length > MAX_LIST_LENGTH) return null;
  const pieces = word.match(/(?:\\.|[^\\,])+/gs) ?? [];
  const texts = pieces.map((piece) => piece.replace(/\\(.)/gs, "$1")).filter(isLinkable);
  return texts.length ? [...new Set(texts)].slice(0, MAX_LINKED_TOKENS) : null;
}

/** Format texts as a list that `parseTokenTexts` reads back. */
export function formatTokenTexts(texts: readonly string[]): string {
  return texts.map((text) => text.replace(/[\\,]/g, "\\$&")).join(",");
}

/** Return the id of the token that a reference names, the first of several matches, or null. */
export function tokenIdOf(reference: TokenReference, vocabulary: Vocabulary): number | null {
  if (typeof reference === "string") {
    const { ids } = indexOf(vocabulary);
    return ids.get(reference) ?? ids.get(withoutMark(reference)) ?? null;
  }
  return reference < vocabulary.tokens.length ? reference : null;
}

/** Return the text of a token if it is unique, else its id. */
export function referenceTo(id: number, vocabulary: Vocabulary): TokenReference {
  const text = vocabulary.tokens[id];
  const alone = text !== undefined && isLinkable(text) && !indexOf(vocabulary).shared.has(text);
  return alone ? text : id;
}

/** Return references to tokens: all by id if their texts would make a link too long. */
export function referencesTo(ids: readonly number[], vocabulary: Vocabulary): TokenReference[] {
  const references = ids.map((id) => referenceTo(id, vocabulary));
  const list = formatTokenTexts(references.filter((one) => typeof one === "string"));
  return encodeURIComponent(list).length > MAX_LIST_LENGTH ? [...ids] : references;
}

/** Return whether a text may stand in a link; a lone surrogate would not survive a round trip. */
function isLinkable(text: string): boolean {
  return text !== "" && text.length <= MAX_TEXT_LENGTH && !/\p{Cs}/u.test(text);
}

interface TextIndex {
  /** First id by text. */
  ids: Map<string, number>;
  /** Texts that several tokens have. */
  shared: Set<string>;
}

const indices = new WeakMap<Vocabulary, TextIndex>();

function indexOf(vocabulary: Vocabulary): TextIndex {
  const known = indices.get(vocabulary);
  if (known) return known;
  const index: TextIndex = { ids: new Map(), shared: new Set() };
  vocabulary.tokens.forEach((text, id) => {
    if (index.ids.has(text)) index.shared.add(text);
    else index.ids.set(text, id);
  });
  indices.set(vocabulary, index);
  return index;
}
