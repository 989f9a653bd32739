/** German texts of a viewer's side of a class. */

import type { ClassQuestion } from "../../api/rest-types";
import { figure, withUnit } from "../../strings/amounts";
import type { classViewer as english } from "./class-viewer.strings";
import { count } from "../../strings/numbers";
import type { Translated } from "../../strings/translation";

const UNITS: Readonly<Record<string, string>> = {
  words: "Wörter",
  times: "Mal",
  "nats per word": "Nats je Wort",
};
/** The word in the server's text of a question. */
const WORD = /“(.*)”/su;
const AVERAGED = "(Gemittelt über 10 Schritte.)";

function textOf({ about, text, from_step: from, at_step: at }: ClassQuestion): string {
  const [steps, word] = [at - from, WORD.exec(text)?.[1] ?? "…"];
  const [within, after] =
    steps === 1
      ? ["im nächsten Schritt", "nach dem nächsten Schritt"]
      : [
          `in den nächsten ${count(steps)} Schritten`,
          `nach den nächsten ${count(steps)} Schritten`,
        ];
  switch (about) {
    case "lit_next":
      return "Wie viele der Wörter leuchten beim nächsten Schritt auf?";
    case "lit_word":
      return `Leuchtet „${word}“ beim nächsten Schritt auf?`;
    case "read_later":
      return `Wie oft wird das Modell „${word}“ ${within} lesen?`;
    case "moved_later":
      return `Wie weit wird sich „${word}“ ${after} bewegt haben, in Prozent seiner eigenen Länge?`;
    case "loss_later":
      return `Wie groß wird die Überraschung ${after} sein? ${AVERAGED}`;
    case "falls_later":
      return `Wird die Überraschung ${after} kleiner oder größer sein? ${AVERAGED}`;
    case "nearest":
      return `Welches davon wird „${word}“ ${after} am nächsten sein?`;
    // The course and its two questions have the presenter's language.
    case "how":
    case "change":
    case "lesson":
      return text;
  }
}

const CHOICES: Readonly<Partial<Record<ClassQuestion["about"], string[]>>> = {
  lit_word: ["Ja", "Nein"],
  falls_later: ["Kleiner", "Größer"],
};

export const classViewer: Translated<typeof english> = {
  outside: "Du bist nicht mehr in der Klasse.",
  outsideMore: "Mit dem Code an der Wand kannst du wieder beitreten.",
  joinAgain: "Wieder beitreten",
  following: "Du folgst der Vorführung",
  followingMore: "Du siehst, was vorgeführt wird. Fass etwas an, und du siehst dich allein um.",
  straying: "Du siehst dich um",
  rejoin: "Zurück zur Vorführung",
  helping: "Du hilfst bei der Vorführung: Pause und Tempo sind unten.",
  point: (word) => `Auf „${word}“ zeigen`,
  pointHint: "Wähle ein Wort, dann kannst du für alle darauf zeigen.",
  unpoint: "Nicht mehr zeigen",
  question: "Eine Frage",
  inWords: (question) => ({
    ...question,
    text: textOf(question),
    unit: UNITS[question.unit] ?? question.unit,
    choices: CHOICES[question.about] ?? question.choices,
  }),
  ask: "Was meinst du?",
  field: (unit) => (unit ? `Deine Antwort, in ${unit}` : "Deine Antwort"),
  between: (low, high) => `Von ${figure(low)} bis ${figure(high)}.`,
  send: "Antworten",
  change: "Ändern",
  changeMore: "Du kannst deine Antwort ändern, solange Antworten angenommen werden.",
  sending: "Wird geschickt …",
  unsent: "Nicht angekommen. Versuch es noch einmal.",
  answered: (answered) =>
    answered > 1
      ? `${count(answered)} haben geantwortet`
      : answered
        ? "Eine Antwort ist da"
        : "Noch hat niemand geantwortet",
  closed: "Keine Antworten mehr. Bald siehst du, was passiert ist.",
  yours: (value, unit) => `Du hast ${withUnit(value, unit)} gesagt.`,
  yourChoice: (choice) => `Du hast „${choice}“ gesagt.`,
  wrote: "Deine Antwort ist da.",
  nameless: "Bitte ohne Namen. Nur die Lehrkraft liest es.",
  none: "Du hast nicht geantwortet.",
  fold: "Klein machen",
  unfold: "Die Frage zeigen",
  measured: (value, unit, step) =>
    `Es waren ${withUnit(value, unit)} (gemessen bei Schritt ${count(step)}).`,
  measuredChoice: (choice, step) => `Es war „${choice}“ (gemessen bei Schritt ${count(step)}).`,
  median: (value, unit) =>
    `Die Hälfte von euch hat weniger als ${withUnit(value, unit)} gesagt, die andere mehr.`,
  nobody: "Niemand hat geantwortet.",
  chart: "Antworten der Klasse",
  bin: (low, high, times) => `${figure(low)} bis ${figure(high)}: ${count(times)}`,
  bar: (choice, times) => `${choice}: ${count(times)}`,
  right: "was passiert ist",
  own: "deine Antwort",
};
