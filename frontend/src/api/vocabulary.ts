/** The tokens of a run: their text, their counts, and their planted classes if there are any. */

import { translatedName } from "./names";
import { requestJson, runPath } from "./rest";
import type { Answer, Run, Token } from "./rest-types";

export interface Vocabulary {
  run: string;
  /** By token id, in readable form. Hostile: show with `printableToken`. */
  tokens: string[];
  /** Occurrences in the text; NaN if not known. */
  counts: Float64Array;
  /** Index into `classes` by token id, or -1. */
  classOf: Int16Array;
  classes: string[];
  /** The families of the classes, if any. */
  families: string[];
  /** Index into `families` by class, or -1. */
  familyOfClass: number[];
  /** Token ids, most common first. */
  byCount: Uint32Array;
  /** By token id, whether a large map places it beside others. */
  placed?: (boolean | undefined)[];
}

const PAGE_SIZE = 50_000;
const MAX_LETTERS = 48;

/** The classes of a run, each with its family if it is in one. */
export type PlantedClasses = readonly Pick<
  NonNullable<Run["classes"]>[number],
  "name" | "family"
>[];

/**
 * Fetch all tokens of a run. `planted` gives the order of the classes, which keeps tints stable. Throws
 * `ApiError`, or the abort.
 */
export async function fetchVocabulary(
  run: string,
  planted: PlantedClasses,
  signal: AbortSignal,
): Promise<Vocabulary> {
  const items: Token[] = [];
  for (;;) {
    const path = runPath(run, `tokens?limit=${PAGE_SIZE}&offset=${items.length}`);
    const page = (await requestJson<Answer<"GET /api/runs/{run}/tokens">>(path, { signal })).items;
    items.push(...page);
    if (page.length < PAGE_SIZE) return buildVocabulary(run, items, planted);
  }
}

export function buildVocabulary(run: string, items: Token[], planted: PlantedClasses): Vocabulary {
  const classes = planted.map(({ name }) => name);
  // In the order of their first classes, which keeps tints stable.
  const families = [...new Set(planted.flatMap(({ family }) => family ?? []))];
  const familyOfClass = planted.map(({ family }) => families.indexOf(family ?? ""));
  const counts = new Float64Array(items.length);
  const classOf = new Int16Array(items.length).fill(-1);
  const tokens = new Array<string>(items.length).fill("");
  const placed: Vocabulary["placed"] = [];
  for (const { token_id: id, text, count, class: name, placed: only } of items) {
    tokens[id] = text;
    placed[id] = only;
    counts[id] = count ?? NaN;
    if (!name) continue;
    let place = classes.indexOf(name);
    if (place < 0) place = classes.push(name) - 1;
    classOf[id] = place;
  }
  const byCount = Uint32Array.from(tokens.keys()).sort((a, b) => counts[b]! - counts[a]! || a - b);
  return {
    run,
    ...{ tokens, counts, classOf, classes, families, familyOfClass, byCount, placed },
  };
}

/** The marks that tokenisers put before a word: SentencePiece's and GPT-2's. */
const WORD_START = /^[▁Ġ](?=.)/su;

/**
 * Return the printable text of a token in an answer of the server, as on the rest of the page.
 *
 * `token`: its text in the tokeniser, used until the vocabulary has loaded.
 */
export function tokenText(
  id: number,
  token: string | undefined,
  vocabulary: Vocabulary | null,
): string {
  return printableToken(vocabulary?.tokens[id] ?? token);
}

/** Return the text that tokens form, with spaces between words, as a person would type it. */
export function textOf(ids: readonly number[], { tokens }: Pick<Vocabulary, "tokens">): string {
  return ids
    .map((id) => tokens[id] ?? "?")
    .join(" ")
    .replace(/ -(?=-*[\p{L}\p{N}])/gu, "")
    .replace(/(?<=^| )␣(?=.)/gu, "");
}

/** Return a token without its word-start mark. */
export function withoutMark(token: string): string {
  return token.replace(WORD_START, "");
}

// Control characters, direction marks and invisible characters: readers cannot see them, and they can do
// harm. Joiners stay: they shape Persian words and emoji.
const UNSEEN =
  /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/gu;

// More marks on one letter than any language uses would cover the lines above and below.
const STACKED = /(\p{M}{4})\p{M}+/gu;
// Characters without ink: a token of only these would look empty.
const INKLESS = /^[\p{DI}\s\u2800]*$/u;

/** Return a line that contains token text, made safe to show. */
export function printableText(line: string): string {
  return line
    .replace(/(?<=^|\s)[▁Ġ](?=\p{L})/gu, "")
    .replace(UNSEEN, "")
    .replace(STACKED, "$1")
    .slice(0, 400);
}

/**
 * Return the name of a class, a family or a district, made safe to show: in sentence case, but as it is if it
 * lists words.
 */
export function printableName(name: string | undefined): string {
  const text = printableText(translatedName(name ?? "?"));
  return text.includes(" · ") ? text : text.replace(/^\p{Ll}/u, (letter) => letter.toUpperCase());
}

/**
 * Return a token made safe to show: white space visible, invisible characters removed, long text
 * cut.
 */
export function printableToken(token: string | undefined): string {
  if (token === undefined) return "?";
  const text = token
    .replaceAll("\n", "⏎")
    .replaceAll("\t", "⇥")
    .replace(UNSEEN, "")
    .replace(STACKED, "$1")
    .replace(/^ +| +$/g, (spaces) => "␣".repeat(Math.min(3, spaces.length)));
  if (INKLESS.test(text)) return "(invisible)";
  const letters = Array.from(text);
  return letters.length > MAX_LETTERS ? `${letters.slice(0, MAX_LETTERS - 1).join("")}…` : text;
}
