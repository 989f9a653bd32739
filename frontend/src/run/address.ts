/**
 * What the address bar holds, so that a link shows a colleague the same thing. A row of the table a word of it;
 * what it does not say, or says wrongly, is null. Pure.
 */

import { readBeside } from "./besides";
import { readIds, readRule } from "./gathering";
import { HEIGHTS } from "./heights";

export const PANELS = [
  "token",
  "gathered",
  "step",
  "matrix",
  "run",
  "map",
  "measures",
  "export",
  "runs",
] as const;
export type PanelName = (typeof PANELS)[number];

export const COLOURS = [
  "class",
  "district",
  "frequency",
  "since",
  "gradient",
  "moved",
  "trust",
] as const;
export type ColourBy = (typeof COLOURS)[number];

/** What the rows of the matrix are ordered by. */
export const ROW_ORDERS = ["district", "class", "frequency", "id"] as const;
export type RowOrder = (typeof ROW_ORDERS)[number];

export const VIEWS = ["umap", "linear", "skyline"] as const;
/** How the city is looked at: one of the two maps, or the first of them in three dimensions. */
export type View = (typeof VIEWS)[number];
/** Whose way over the map is drawn, and to which tokens lines go from the chosen one. */
export const TRAILED = ["none", "chosen", "movers"] as const;
export type TrailsOf = (typeof TRAILED)[number];
export const LINKED = ["none", "space", "map", "both"] as const;
export type LinksTo = (typeof LINKED)[number];

const FIELDS = {
  run: (word: string) => word || null,
  token: whole,
  map: oneOf(VIEWS),
  /** What the heights of the skyline say. */
  height: oneOf(HEIGHTS),
  /** What the second map shows. */
  beside: readBeside,
  /** And whether it is zoomed by itself. */
  apart: flag,
  colour: oneOf(COLOURS),
  panel: oneOf(PANELS),
  /** The inspector is folded away where there is room for it. */
  folded: flag,
  /** Doubtful places are marked. */
  doubt: flag,
  district: whole,
  /** The token that the chosen one is compared with. */
  pair: whole,
  /** The step whose neighbours are compared with those of now. */
  then: whole,
  rows: oneOf(ROW_ORDERS),
  /** The step whose matrix is taken away from the one that is shown. */
  against: whole,
  trails: oneOf(TRAILED),
  links: oneOf(LINKED),
  /** How many steps back distances and trails reach; 0: to the start. */
  over: whole,
  legend: oneOf(["open", "folded"]),
  /** The entry of the legend whose tokens are ringed. */
  ring: (word: string) => (/^([bk]\d{1,4}|none|rest|unknown)$/.test(word) ? word : null),
  /** Ids of gathered tokens. */
  tokens: readIds,
  /** The rule by which tokens are gathered, where they are too many for a link. */
  gather: (word: string) => (readRule(word) ? word : null),
  /** The map is turned so that the gathered tokens stay. */
  align: flag,
  /** The step to play the run from; null: live. */
  from: whole,
  /** The step to stand at; null: none. */
  at: whole,
  /** Steps a second at which it is played. */
  speed: (word: string) =>
    /^\d{1,6}(\.\d{1,3})?$/.test(word) && Number(word) > 0 ? Number(word) : null,
};

export type Address = { [Field in keyof typeof FIELDS]: ReturnType<(typeof FIELDS)[Field]> };

export const NOWHERE = readAddress("");

/** Read a query string. */
export function readAddress(query: string): Address {
  const words = new URLSearchParams(query);
  const read = Object.entries(FIELDS).map(([name, of]) => {
    const word = words.get(name);
    return [name, word === null ? null : of(word)];
  });
  return Object.fromEntries(read) as Address;
}

/** The query string of an address, `""` or starting with `?`. */
export function writeAddress(address: Partial<Address>): string {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(address)) {
    if (value !== null) words.set(name, value === true ? "1" : String(value));
  }
  // Between ids a comma reads better than what stands for it.
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
