/** Texts about a text of one's own: what it is, and what becomes of it. */

import * as field from "../api/generated/recipe";
import type { Failure } from "../api/failure";
import type { Upload } from "../api/rest-types";
import { failureText } from "./failures";
import { approximately, count } from "./numbers";
import { table } from "./translation";

type TextFacts = Upload["text"];
/** The request that sends a text. */
interface Sent {
  readonly loading: boolean;
  readonly problem: Failure | null;
  readonly value: Upload | null;
}

/** Times that a text is read from which on it is learned by heart; measured (docs/decisions/0017). */
const BY_HEART = 15;
const BATCH_WORDS = field.sequences.default * field.modelContext.default;

export const ownText = table("ownText", {
  paste: "Paste a text here",
  choose: "Choose a file",
  drop: "… or drop a file here. Plain text (UTF-8), up to 64 MB. It stays on this server.",
  other: "Use another text",
  counting: "Counting its words…",
  nothing: "Paste a text or choose a file first.",
  words: ({ words, different, exact }: TextFacts) =>
    exact
      ? `${count(words)} words, ${count(different)} different ones.`
      : `About ${approximately(words)} words.`,
  suits: ({ vocabulary, steps }: TextFacts) =>
    `${count(vocabulary - 1)} of them occur often enough to find a place on the map. ${count(steps)} steps suit this text.`,
  expect: {
    by_heart:
      "This is too short for neighbourhoods: the model will learn it by heart. About 30,000 words are needed for some, 200,000 for clear ones.",
    some: "Expect a few neighbourhoods. About 200,000 words make clear ones.",
    clear: "Long enough for clear neighbourhoods.",
  } satisfies Record<Exclude<TextFacts["expectation"], "too_short">, string>,
  /** The sentence that refuses a text. */
  tooShort: ({ words }: TextFacts) => {
    const many = words === 1 ? "1 word" : `${count(words)} words`;
    return `This text has ${many}. 1,000 are needed; clear neighbourhoods need about 200,000.`;
  },
  byHeart: (times: number) =>
    `With so many steps it reads the whole text ${count(times)} times and learns it by heart; its neighbourhoods then fall apart again.`,
});

/** Return why a text that is being sent cannot be read, or not yet; null if it can. */
export function explainRefusal(sent: Sent): string | null {
  if (sent.loading) return ownText.counting;
  if (sent.problem) return failureText(sent.problem);
  if (!sent.value) return ownText.nothing;
  const { text } = sent.value;
  return text.expectation === "too_short" ? ownText.tooShort(text) : null;
}

/** Return what is to be said of so many steps with a text; null if they suit it. */
export function byHeartRemark(
  { tokens, expectation, steps: suit }: TextFacts,
  steps: number | null,
) {
  if (expectation === "too_short" || expectation === "by_heart" || !steps || steps <= suit)
    return null;
  const times = Math.round((steps * BATCH_WORDS) / tokens);
  return times < BY_HEART ? null : ownText.byHeart(times);
}
