/**
 * The view state that the URL carries, so that a link shows a colleague the same view. Each key of
 * `FIELDS` parses one URL parameter; a missing or malformed one is null. Pure.
 */

import { readBeside } from "./second-map-options";
import { readIds, readRule } from "./selection-rule";
import { COLOURS, HEIGHTS, LINKED, PANELS, ROW_ORDERS, TRAILED, VIEWS } from "./view-options";

const FIELDS = {
  run: (word: string) => word || null,
  token: whole,
  map: oneOf(VIEWS),
  /** Measure behind the heights of the skyline. */
  height: oneOf(HEIGHTS),
  /** Content of the second map. */
  beside: readBeside,
  /** Set when the second map has its own zoom. */
  apart: flag,
  colour: oneOf(COLOURS),
  panel: oneOf(PANELS),
  /** Set when the inspector is folded away although there is room for it. */
  folded: flag,
  /** Set when doubtful positions are marked. */
  doubt: flag,
  district: whole,
  /** Token that the focused one is compared with. */
  pair: whole,
  /** Step whose neighbours are compared with the current ones. */
  then: whole,
  rows: oneOf(ROW_ORDERS),
  /** Step whose matrix is subtracted from the one shown. */
  against: whole,
  trails: oneOf(TRAILED),
  links: oneOf(LINKED),
  /** Steps back that distances and trails reach; 0: to the start. */
  over: whole,
  legend: oneOf(["open", "folded"]),
  /** Legend entry whose tokens are ringed. */
  ring: (word: string) => (/^([bk]\d{1,4}|none|rest|unknown)$/.test(word) ? word : null),
  /** Ids of the selected tokens. */
  tokens: readIds,
  /** Rule that selects the tokens, when they are too many for a link. */
  gather: (word: string) => (readRule(word) ? word : null),
  /** Set when the map is rotated to hold the selected tokens still. */
  align: flag,
  /** Step to play the run from; null: live. */
  from: whole,
  /** Past step to show; null: none. */
  at: whole,
  /** Playback speed in steps a second. */
  speed: (word: string) =>
    /^\d{1,6}(\.\d{1,3})?$/.test(word) && Number(word) > 0 ? Number(word) : null,
};

export type Address = { [Field in keyof typeof FIELDS]: ReturnType<(typeof FIELDS)[Field]> };

export const NOWHERE = readAddress("");

/** Parse a query string; a missing or malformed parameter becomes null. */
export function readAddress(query: string): Address {
  const words = new URLSearchParams(query);
  const read = Object.entries(FIELDS).map(([name, of]) => {
    const word = words.get(name);
    return [name, word === null ? null : of(word)];
  });
  return Object.fromEntries(read) as Address;
}

/** Return the query string of a view state: `""`, or one that starts with `?`. */
export function writeAddress(address: Partial<Address>): string {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(address)) {
    if (value !== null) words.set(name, value === true ? "1" : String(value));
  }
  // Commas and colons are legal in a query and read better than their escapes.
  const text = words.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
  return text && `?${text}`;
}

function whole(word: string): number | null {
  return /^\d{1,9}$/.test(word) ? Number(word) : null;
}

function flag(word: string): true | null {
  return word === "1" ? true : null;
}

function oneOf<Name extends string>(names: readonly Name[]): (word: string) => Name | null {
  return (word) => names.find((name) => name === word) ?? null;
}
