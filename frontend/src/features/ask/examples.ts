/** Example questions about Lamptown. */

import type { Vocabulary } from "../../api/vocabulary";
import type { ExperimentName } from "../../model/view/view-options";
import { viewOf, type Subject } from "../../state/questions/examinations";

export const TOWN_EXAMPLES: Partial<Record<ExperimentName, Subject[]>> = {
  what_if: [teach("the cat barked"), teach("people from paris speak english")],
  transplant: [
    { kind: "transplant", prompt: "the dog", into: "dog", source: "cat", words: 12 },
    { kind: "transplant", prompt: "the dog", into: "dog", source_step: 0, words: 12 },
    { kind: "transplant", prompt: "the dog", source_step: 0, words: 12 },
  ],
  probe: [
    { kind: "probe", sentence: "the dog barked in the basket", other_step: 0 },
    {
      kind: "probe",
      sentence: "the dog barked in the basket",
      other_step: 0,
      other_sentence: "the cat and the dog each wear a collar",
    },
  ],
};

/** Return the question that teaches a sentence, with the usual readings. */
export function teach(sentence: string): Subject<"what_if"> {
  return { kind: "what_if", sentence, steps: 5, after: 20 };
}

/** Return whether the vocabulary has all words of a question. */
export function isKnown(subject: Subject, { tokens }: Vocabulary): boolean {
  const { say, into, source, second } = viewOf(subject);
  const words = [say, into, source, second].flatMap((text) => text?.split(" ") ?? []);
  return words.every((word) => tokens.includes(word));
}
