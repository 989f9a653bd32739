/**
 * The view state that the URL carries, so that a link shows a colleague the same view. Each key of
 * `FIELDS` parses one URL parameter; a missing or malformed one is null. Pure.
 */

import { parseSecondMapSource } from "./second-map-options";
import { parseIds, parseRule } from "./selection-rule";
import {
  COLOURS,
  HEIGHT_MEASURES,
  LINK_TARGETS,
  PANELS,
  ROW_ORDERS,
  TRAIL_SETS,
  VIEW_MODES,
} from "./view-options";

const FIELDS = {
  run: (word: string) => word || null,
  token: parseInteger,
  map: oneOf(VIEW_MODES),
  /** Measure behind the heights of the skyline. */
  height: oneOf(HEIGHT_MEASURES),
  /** Content of the second map. */
  beside: parseSecondMapSource,
  /** Set when the second map has its own zoom. */
  apart: parseFlag,
  colour: oneOf(COLOURS),
  panel: oneOf(PANELS),
  /** Set when the inspector is folded away although there is room for it. */
  folded: parseFlag,
  /** Set when doubtful positions are marked. */
  doubt: parseFlag,
  district: parseInteger,
  /** Token that the focused one is compared with. */
  pair: parseInteger,
  /** Step whose neighbours are compared with the current ones. */
  then: parseInteger,
  rows: oneOf(ROW_ORDERS),
  /** Step whose matrix is subtracted from the one shown. */
  against: parseInteger,
  trails: oneOf(TRAIL_SETS),
  links: oneOf(LINK_TARGETS),
  /** Steps back that distances and trails reach; 0: to the start. */
  over: parseInteger,
  legend: oneOf(["open", "folded"]),
  /** Legend entry whose tokens are ringed. */
  ring: (word: string) => (/^([bk]\d{1,4}|none|rest|unknown)$/.test(word) ? word : null),
  /** Ids of the selected tokens. */
  tokens: parseIds,
  /** Rule that selects the tokens, when they are too many for a link. */
  gather: (word: string) => (parseRule(word) ? word : null),
  /** Set when the map is rotated to hold the selected tokens still. */
  align: parseFlag,
  /** Step to play the run from; null: live. */
  from: parseInteger,
  /** Past step to show; null: none. */
  at: parseInteger,
  /** Playback speed in steps a second. */
  speed: (word: string) =>
    /^\d{1,6}(\.\d{1,3})?$/.test(word) && Number(word) > 0 ? Number(word) : null,
};

export type ViewState = { [Field in keyof typeof FIELDS]: ReturnType<(typeof FIELDS)[Field]> };

export const EMPTY_VIEW = parseViewState("");

/** Parse a query string; a missing or malformed parameter becomes null. */
export function parseViewState(query: string): ViewState {
  const words = new URLSearchParams(query);
  const read = Object.entries(FIELDS).map(([name, parse]) => {
    const word = words.get(name);
    return [name, word === null ? null : parse(word)];
  });
  return Object.fromEntries(read) as ViewState;
}

/** Return the query string of a view state: `""`, or one that starts with `?`. */
export function formatViewState(view: Partial<ViewState>): string {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(view)) {
    if (value !== null) words.set(name, value === true ? "1" : String(value));
  }
  // Commas and colons are legal in a query and read better than their escapes.
  const text = words.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
  return text && `?${text}`;
}

function parseInteger(word: string): number | null {
  return /^\d{1,9}$/.test(word) ? Number(word) : null;
}

function parseFlag(word: string): true | null {
  return word === "1" ? true : null;
}

function oneOf<Name extends string>(names: readonly Name[]): (word: string) => Name | null {
  return (word) => names.find((name) => name === word) ?? null;
}
