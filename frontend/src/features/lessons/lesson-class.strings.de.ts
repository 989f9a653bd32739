/** German texts of the course with a class. */

import type { lessonClass as english } from "./lesson-class.strings";
import { count } from "../../strings/numbers";
import type { Translated } from "../../strings/translation";

export const lessonClass: Translated<typeof english> = {
  notLed: "Die Klasse folgt dir nicht, darum bekommt niemand diese Frage.",
  lead: "Die Klasse soll mir folgen",
  answered: (answered, connected) =>
    `${count(answered)} von ${count(Math.max(answered, connected))} haben geantwortet`,
  goOn: "Weitergehen schließt die Antworten.",
  over: "Jetzt kann niemand mehr antworten.",
  everybody: "Diese Frage bekommt die ganze Klasse. Niemand sieht, wer was gesagt hat.",
  arrived: "Dein Tipp ist angekommen. Warte, bis es vorn weitergeht.",
  sending: "Wird gesendet …",
  change: "Meinen Tipp ändern",
  guessed: (answers) => `Die Klasse: ${count(answers)} ${answers === 1 ? "Tipp" : "Tipps"}.`,
  guessedAround: (answers, middle) =>
    answers === 1
      ? `Die Klasse: ein Tipp, ${middle}.`
      : `Die Klasse: ${count(answers)} Tipps. In der Mitte liegt ${middle} (Median).`,
  pictureLabel: (dots) =>
    dots ? `Die Tipps der Klasse zu ${count(dots)} ${dots === 1 ? "Frage" : "Fragen"}.` : "",
  pictureMore:
    "Eine Raute ist die Mitte der Tipps der Klasse, und ihr Strich umfasst die mittlere Hälfte davon.",
  file: "Alle Tipps der Klasse im Kurs, ohne Namen.",
  marks: (own) => (own ? "Strich: gemessen. Gestrichelt: dein Tipp." : "Strich: gemessen."),
};
