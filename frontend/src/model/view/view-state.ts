/**
 * The view: everything that decides what the page shows. The address in the browser's bar and an entry of
 * its history are forms of it. Pure.
 *
 * `FIELDS` reads and writes each field as words under keys. A missing or malformed word is null, the field's
 * default.
 */

import { CHOICES } from "../../api/generated/view-query";
import { formatLook, parseLook } from "../look";
import { formatRowPlace, formatTextPlace, parseRowPlace, parseTextPlace } from "./microscope-place";
import { parseSecondMapSource } from "./second-map-options";
import { parseRule } from "./selection-rule";
import {
  formatTokenTexts,
  MAX_LINKED_TOKENS,
  parseTokenId,
  parseTokenIds,
  parseTokenText,
  parseTokenTexts,
  type TokenReference,
} from "../token-reference";
import {
  COLOURS,
  EXPERIMENTS,
  GEOMETRY_VIEWS,
  LAB_EXPERIMENTS,
  LINK_TARGETS,
  MAPS,
  PANELS,
  ROW_ORDERS,
  SECTIONS,
  TRAIL_SETS,
} from "./view-options";

const MAX_RUN_LENGTH = 200;
/** Limit on the characters of a prompt, as in the server. */
export const MAX_PROMPT_LENGTH = 2_000;
/** Limits of an experiment, as in the server. */
export const MAX_WORD_LENGTH = 200;
export const MAX_TIMES = 20;
export const MAX_AFTER = 100;
/** Number of the last claim. */
const MAX_CLAIM = 28;

/** The value of a key, written as a string; true is `1`. */
type ViewWord = string | number | true;

interface Field<Value> {
  /** Read the field named `name`; null if it is missing or malformed. */
  read(wordOf: (key: string) => string | null, name: string): Value | null;
  write(value: Value, name: string): Record<string, ViewWord>;
}

const FIELDS = {
  run: plain((word) => (word !== "" && word.length <= MAX_RUN_LENGTH ? word : null)),
  /** Focused token. */
  token: oneToken("word"),
  map: plain(oneOf(MAPS)),
  /**
   * Which recorded layouts to use: the smoothed ones (`again`), or the live ones; null: the smoothed ones if
   * they cover the whole run.
   */
  set: plain(oneOf(CHOICES.set)),
  /** Camera of the map; null: the whole map. */
  look: formatted(parseLook, formatLook),
  /** Content of the second map. */
  beside: plain(parseSecondMapSource),
  /** Set when the second map has its own zoom. */
  apart: plain(parseFlag),
  /** Colouring of the lamps; null: families, else classes, else districts, as the run has them. */
  colour: plain(oneOf(COLOURS)),
  panel: plain(oneOf(PANELS)),
  /** Highlighted section of the panel. */
  section: plain(oneOf(Object.values(SECTIONS).flat())),
  /** Kind of question to the model. */
  ask: plain(oneOf(EXPERIMENTS)),
  /** Id of the question whose answer is shown, independent of the current question; null: none. */
  asked: plain((word) => (/^[0-9a-f]{16}$/.test(word) ? word : null)),
  /** Words in the question to the model. Hostile. */
  say: plain(parseWords(MAX_PROMPT_LENGTH)),
  /** Training steps on these words, and then on the run's own text. */
  times: plain(parseWithin(1, MAX_TIMES)),
  after: plain(parseWithin(0, MAX_AFTER)),
  /** Word whose row is replaced, and word whose row replaces it. Hostile. */
  into: plain(parseWords(MAX_WORD_LENGTH)),
  source: plain(parseWords(MAX_WORD_LENGTH)),
  /** Step that the answer takes a row from, or is compared with. */
  other: plain(parseInteger),
  /** Second sentence, to compare the first with. Hostile. */
  second: plain(parseWords(MAX_PROMPT_LENGTH)),
  /** Head whose attention is enlarged: its layer and its number there, from 1, as `2.3`; null: the first. */
  head: plain((word) => (/^[1-9]\d?\.[1-9]\d?$/.test(word) ? word : null)),
  /** The number of a row under the microscope, and the word of the batch. Hostile. */
  row: formatted(parseRowPlace, formatRowPlace),
  micro: formatted(parseTextPlace, formatTextPlace),
  /** Number of the open claim on the board. */
  claim: plain(parseWithin(1, MAX_CLAIM)),
  /**
   * Part and stage of the course, as `1.3`; without a stage the first; `0` is the list of parts. Null: no
   * course.
   */
  lesson: plain((word) => (/^\d{1,2}(\.\d{1,2})?$/.test(word) ? word : null)),
  /** View of the geometry lab, its words, and those at the other end of an axis. Hostile. */
  lab: plain(oneOf(GEOMETRY_VIEWS)),
  of: plain(parseWords(MAX_PROMPT_LENGTH)),
  to: plain(parseWords(MAX_PROMPT_LENGTH)),
  /** Set when the inspector is folded although there is room for it. */
  folded: plain(parseFlag),
  /** Set when doubtful positions are marked. */
  doubt: plain(parseFlag),
  /** Names of districts; null: that of the planted class if there is one. */
  names: plain(oneOf(CHOICES.names)),
  /** District in focus. */
  district: plain(parseInteger),
  /** Token that the focused one is compared with. */
  pair: oneToken("with"),
  /** Step whose neighbours are compared with the current ones. */
  then: plain(parseInteger),
  rows: plain(oneOf(ROW_ORDERS)),
  /** Step whose matrix is subtracted from the one shown. */
  against: plain(parseInteger),
  trails: plain(oneOf(TRAIL_SETS)),
  links: plain(oneOf(LINK_TARGETS)),
  /** Steps back that distances and trails reach; 0: to the start. */
  over: plain(parseInteger),
  legend: plain(oneOf(CHOICES.legend)),
  /** Legend entry whose tokens are ringed. */
  ring: plain((word) => (/^([bck]\d{1,4}|none|rest|unknown)$/.test(word) ? word : null)),
  /** Selected tokens. */
  tokens: manyTokens("words"),
  /** Rule that selects the tokens, when they are too many for a link. */
  gather: plain((word) => (parseRule(word) ? word : null)),
  /** Set when the map is rotated to hold the selected tokens still. */
  align: plain(parseFlag),
  /** Step to play the run from; null: live. */
  from: plain(parseInteger),
  /** Past step to show; null: none. */
  at: plain(parseInteger),
  /** Beat of that step: 1 holds its light on the layout before it; null: after the move. */
  beat: plain((word) => (word === "1" ? (1 as const) : null)),
  /** Playback speed in steps a second. */
  speed: plain((word) =>
    /^\d{1,6}(\.\d{1,3})?$/.test(word) && Number(word) > 0 ? Number(word) : null,
  ),
};

/** Former views of the geometry lab; the measures have their curves. */
const FORMER_GEOMETRY_VIEWS = ["lengths", "order", "touches"];

/** Return a reader of a view's words that translates those of old addresses. */
function currentWords(wordOf: (key: string) => string | null): (key: string) => string | null {
  const movedTo = (panel: string | null) => {
    if (panel === "geometry" && FORMER_GEOMETRY_VIEWS.includes(wordOf("lab") ?? ""))
      return "measures";
    const inLab = LAB_EXPERIMENTS.some((name) => name === wordOf("ask"));
    return panel === "ask" && inLab ? "experiments" : panel;
  };
  return (key) => (key === "panel" ? movedTo(wordOf(key)) : wordOf(key));
}

/** A whole view: each field has a value, or null for its default. */
export type ViewState = {
  readonly [Name in keyof typeof FIELDS]: ReturnType<(typeof FIELDS)[Name]["read"]>;
};

/** A change of the view: a missing field stays as it is. */
export type ViewChange = { readonly [Name in keyof ViewState]?: ViewState[Name] };

/** Fields that are meaningless in another run, such as token ids and steps. */
const OF_ONE_RUN = [
  "token",
  "set",
  "look",
  "district",
  "pair",
  "then",
  "against",
  "tokens",
  "gather",
  "align",
  "row",
  "micro",
  "asked",
  "from",
  "at",
  "beat",
  "speed",
] as const satisfies (keyof ViewState)[];

/** The change that leaves a run and keeps everything else. */
export const NOTHING_OF_A_RUN = Object.fromEntries(
  OF_ONE_RUN.map((name) => [name, null]),
) as ViewChange;

export const DEFAULT_VIEW = parseViewState("");

/** Parse a query string; a missing or malformed parameter becomes null. */
export function parseViewState(query: string): ViewState {
  const words = new URLSearchParams(query);
  const wordOf = currentWords((key) => words.get(key));
  const read = fields().map(([name, field]) => [name, field.read(wordOf, name)]);
  return Object.fromEntries(read) as ViewState;
}

/** Return the query string of a view: `""`, or one that starts with `?`. */
export function formatViewState(view: ViewChange): string {
  const words = new URLSearchParams();
  for (const [name, field] of fields()) {
    const value = view[name] ?? null;
    if (value === null) continue;
    for (const [key, word] of Object.entries(field.write(value as never, name)))
      words.set(key, word === true ? "1" : String(word));
  }
  // Commas and colons are legal in a query and more readable than their escapes.
  const text = words.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
  return text && `?${text}`;
}

function fields(): [keyof ViewState, Field<unknown>][] {
  return Object.entries(FIELDS) as [keyof ViewState, Field<unknown>][];
}

/** Return a field whose value is its word. */
function plain<Value extends ViewWord>(parse: (word: string) => Value | null): Field<Value> {
  return formatted(parse, (value) => value);
}

function formatted<Value>(
  parse: (word: string) => Value | null,
  format: (value: Value) => ViewWord,
): Field<Value> {
  return {
    read: (wordOf, name) => read(wordOf(name), parse),
    write: (value, name) => ({ [name]: format(value) }),
  };
}

/** Return the field of one token: its id under the field's name, its text under `key`. */
function oneToken(key: string): Field<TokenReference> {
  return {
    read: (wordOf, name) => read(wordOf(key), parseTokenText) ?? read(wordOf(name), parseTokenId),
    write: (token, name) => ({ [typeof token === "string" ? key : name]: token }),
  };
}

/** Return the field of several tokens: ids under the field's name, and texts under `key`. */
function manyTokens(key: string): Field<readonly TokenReference[]> {
  return {
    read(wordOf, name) {
      const ids = read(wordOf(name), parseTokenIds) ?? [];
      const texts = read(wordOf(key), parseTokenTexts) ?? [];
      const tokens = [...ids, ...texts].slice(0, MAX_LINKED_TOKENS);
      return tokens.length ? tokens : null;
    },
    write(tokens, name) {
      const ids = tokens.filter((token) => typeof token === "number");
      const texts = tokens.filter((token) => typeof token === "string");
      return {
        ...(ids.length && { [name]: ids.join() }),
        ...(texts.length && { [key]: formatTokenTexts(texts) }),
      };
    },
  };
}

function read<Value>(word: string | null, parse: (word: string) => Value | null): Value | null {
  return word === null ? null : parse(word);
}

function parseInteger(word: string): number | null {
  return /^\d{1,9}$/.test(word) ? Number(word) : null;
}

function parseWithin(least: number, most: number): (word: string) => number | null {
  return (word) => {
    const value = parseInteger(word);
    return value !== null && value >= least && value <= most ? value : null;
  };
}

function parseWords(most: number): (word: string) => string | null {
  return (word) => (word.trim() !== "" && word.length <= most ? word : null);
}

function parseFlag(word: string): true | null {
  return word === "1" ? true : null;
}

function oneOf<const Name extends string>(names: readonly Name[]): (word: string) => Name | null {
  return (word) => names.find((name) => name === word) ?? null;
}
