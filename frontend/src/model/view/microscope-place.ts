/**
 * The place under the microscope, as an address names it: a number of a row, and a word of the batch. Pure.
 */

import { parseTokenId, parseTokenText, type TokenReference } from "../token-reference";

/** A number in the row of a word: `dog.17`; for a word named by its id, `#812.17`. */
export interface RowPlace {
  token: TokenReference;
  coordinate: number;
}

/** A word of the batch: `0.5` is the sixth of the first sequence. */
export interface TextPlace {
  sequence: number;
  position: number;
}

/** Parse a place in a row; a text that starts with # or a backslash is escaped with a backslash. */
export function parseRowPlace(word: string): RowPlace | null {
  const [, name = "", digits = ""] = /^(.+)\.(0|[1-9]\d{0,4})$/s.exec(word) ?? [];
  const token = name.startsWith("#")
    ? parseTokenId(name.slice(1))
    : parseTokenText(name.replace(/^\\/, ""));
  return token === null ? null : { token, coordinate: Number(digits) };
}

export function formatRowPlace({ token, coordinate }: RowPlace): string {
  const name = typeof token === "number" ? `#${token}` : token.replace(/^[#\\]/, "\\$&");
  return `${name}.${coordinate}`;
}

export function parseTextPlace(word: string): TextPlace | null {
  const [, sequence, position] = /^(0|[1-9]\d{0,4})\.(0|[1-9]\d{0,4})$/.exec(word) ?? [];
  return sequence === undefined ? null : { sequence: Number(sequence), position: Number(position) };
}

export function formatTextPlace({ sequence, position }: TextPlace): string {
  return `${sequence}.${position}`;
}
