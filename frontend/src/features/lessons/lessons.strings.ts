/** Texts around the course; what its parts say comes with them. */

import type { LessonNumber, LessonPart, LessonPrediction, LessonStage } from "../../api/rest-types";
import { large, plain } from "../../strings/amounts";
import { count, decimal, fixed, language, setNumberLanguage } from "../../strings/numbers";
import { table } from "../../strings/translation";

type Form = LessonPrediction["form"];

export const lessons = table("lessons", {
  title: "The course",
  list: "Which part?",
  listMore: "In each part you guess first. Then the city shows what was measured.",
  part: (number: number, title: string) => `${number}. ${title}`,
  length: (minutes: number) => `about ${count(minutes)} ${minutes === 1 ? "minute" : "minutes"}`,
  none: "There are no parts here.",
  close: "Leave the course",
  all: "All parts",
  kinds: {
    question: "A question",
    prediction: "Your guess",
    look: "Look",
    number: "The number",
    fails: "Where it fails",
    "own-words": "In your own words",
  } satisfies Record<LessonStage["kind"], string>,
  stage: (stage: number, of: number) => `Stage ${stage} of ${of}`,
  back: "Back",
  next: "Next",
  finish: "All parts",
  curious: "For the curious",
  fold: "Enlarge the map",
  foldPanel: "Enlarge the panel",
  showMap: "Show the map",
  showPanel: "Show the panel",
  unfold: "Show the text",
  keep: "Lock in my guess",
  skip: "Skip",
  kept: (guess: string) => `You guessed: ${guess}.`,
  guess: "Your guess",
  results: "Your guesses",
  result: (guess: string | null, measured: string | null) =>
    [
      guess === null ? "" : `You guessed ${guess}. `,
      measured === null ? "Not known yet." : `It was ${measured}.`,
    ].join(""),
  picture: "Guessed and measured",
  pictureMore:
    "Each dot is a guess. On the diagonal you were right; above it the number was higher than you thought, below it lower.",
  pictureLabel: (dots: number) =>
    `A picture of ${count(dots)} ${dots === 1 ? "guess" : "guesses"} beside what was measured; the list above has the numbers.`,
  pictureOthers: "Faint dots come from other parts on this run.",
  guessed: "guessed",
  measured: "measured",
  again: "Forget my guesses",
  unknown: "…",
  /** Before a share that would be rounded down to nothing, or up to all. */
  lessThan: "less than",
  moreThan: "more than",
  waits: {
    step: (step: number) => `not known before step ${count(step)}`,
    measure: () => "not measured yet",
    answer: () => "not answered yet",
    button: () => "its button has not been pressed yet",
    ended: (step: number) => `this run ended before step ${count(step)}`,
  } satisfies Record<NonNullable<LessonNumber["waits_for"]>, (step: number) => string>,
  waitsForStep: (step: number, now: number) =>
    `This is about step ${count(step)}, and the model is at step ${count(now)}. The numbers will follow; you can read on.`,
  endedBefore: (step: number, last: number) =>
    `This is about step ${count(step)}, but this run ended at step ${count(last)}.`,
  waitsForButton: "Where you see …, press the button named in the text to get the number.",
  waitsForNumbers: "Where you see …, the number is still to come.",
  asking: "Asking the model…",
  notComputed: (run: string) =>
    `Some numbers of this part have not been computed for this run yet, so a few stages and sentences are left out. To get them, open the course on the computer that runs Lamplighter, or run there: lamplighter examine ${run} --prepare lessons`,
  notComputedHere: "The numbers here have not been computed for this run yet.",
  skipped: (titles: readonly string[]) =>
    `Left out, because the numbers have not been computed for this run yet: ${titles.join("; ")}`,
  failed: "The model could not answer.",
  askAgain: "Ask again",
  confirm: "Ask anyway",
  corpora: {
    lamptown: "Lamptown",
    novels: "two novels",
    modular: "sums on a clock",
  } satisfies Record<LessonPart["corpus"], string>,
  otherWords: (words: readonly string[], text: string) =>
    `This part is about ${text}. This run does not know ${words.join(", ")}, so the part continues with a run on ${text}.`,
  runs: "Choose a run",
  openOther: (name: string) => `Continue with ${name}`,
  beginOther: (text: string) => `Start a run on ${text}`,
  beginOtherMore:
    "The new run starts at step 0, and this part continues beside it while the model learns.",
  loading: "Opening the course…",
  broken: "This part cannot be shown.",
  packed: "This file has no parts of the course: open the run with Lamplighter to take it.",
  needsApp: (panel: string) =>
    `This file does not contain this panel (${panel}): what the text asks you to do there needs the app. The text and its numbers are here.`,
  /** Behind the words of a link that a file cannot follow. */
  inApp: "in the app",
  stepNotHeld: (step: number, shown: number) =>
    `This file does not contain step ${count(step)}: you see step ${count(shown)}.`,
  teacher: {
    link: "For the teacher",
    about: (part: string) => `For the teacher: ${part}`,
    before: "For the teacher: before you begin",
    start: "Before you begin",
    print: "Print",
    open: "Open this part in the app",
    course: "Open the course in the app",
    pages: "Pages for the teacher",
    name: "Name",
    date: "Date",
    blank: "Write here",
    thisComputer:
      "These links work only on this computer. For pupils’ devices, start a class: there they follow you to each stage.",
    otherWords: (words: string) =>
      `This run does not know ${words}, so it cannot show this part, and its numbers are missing here.`,
    notHere:
      "This page is for the presenter: open it from the list of parts, in the presenter’s browser.",
  },
  unknownInFile: "Where you see …, the number was not known when this file was made.",
} as const);

/** Format a number of the course; `value` of a percentage is a share. With `signs`, no word of the page is in it. */
export function lessonNumber(value: number, form: Form, signs = false): string {
  if (form === "count") return count(value);
  if (form === "decimal") return fixed(value, 2);
  if (form === "large") return large(value);
  if (form === "significant") return plain(value, 3);
  const hundred = 100 * value;
  if (hundred > 0 && hundred < 0.1)
    return `${signs ? "<" : lessons.lessThan}\u00a0${decimal("0.1")}\u00a0%`;
  if (hundred > 99 && hundred < 100) return `${signs ? ">" : lessons.moreThan}\u00a099\u00a0%`;
  return `${hundred < 10 ? decimal(+hundred.toFixed(1)) : count(hundred)}\u00a0%`;
}

/** Format a number in a text of a language, which is not the page's where a part is not translated. */
export function numberInText(text: string, value: number, form: Form): string {
  const page = language;
  if (text === page) return lessonNumber(value, form);
  setNumberLanguage(text);
  const number = lessonNumber(value, form, true);
  setNumberLanguage(page);
  return number;
}

/** Format a value of a prediction as it is predicted. */
export function predictedText(prediction: LessonPrediction, value: number): string {
  const { form, unit } = prediction;
  if (form === "percent") return lessonNumber(value / 100, form);
  return unit ? `${lessonNumber(value, form)} ${unit}` : lessonNumber(value, form);
}
