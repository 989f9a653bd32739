/** Changes to neighbourhoods, read from the English messages of a run's record. Pure. */

import type { DistrictEvent } from "../../api/rest-types";

/** What the record says of each kind of change. */
const MESSAGES = {
  "district-born": /^A neighbourhood came together: (?<name>.+), (?<words>\d+) words\.$/s,
  "district-split":
    /^The neighbourhood (?<other>.+) split: (?<name>.+), (?<words>\d+) words, is one of its own now\.$/s,
  "district-merged": /^The neighbourhood (?<name>.+) became part of (?<other>.+)\.$/s,
  "district-gone": /^The neighbourhood (?<name>.+) came apart\.$/s,
};

/** A change to a neighbourhood; names may quote user text. Hostile. */
export interface DistrictChange {
  kind: keyof typeof MESSAGES;
  name: string;
  /** The neighbourhood that it split off from, or joined; "" for other kinds. */
  other: string;
  /** Number of words in a new neighbourhood; 0 for other kinds. */
  words: number;
}

/** Return the change that an event of the record describes; null if its message has another form. */
export function parseDistrictChange({
  kind,
  message,
}: Pick<DistrictEvent, "kind" | "message">): DistrictChange | null {
  const parts = Object.hasOwn(MESSAGES, kind)
    ? MESSAGES[kind as DistrictChange["kind"]].exec(message)?.groups
    : undefined;
  if (!parts) return null;
  const { name = "", other = "", words = "0" } = parts;
  return { kind: kind as DistrictChange["kind"], name, other, words: Number(words) };
}
