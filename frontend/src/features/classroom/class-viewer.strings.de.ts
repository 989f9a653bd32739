/** German texts of a viewer's side of a class. */

import { figure } from "../../strings/amounts";
import type { classViewer as english } from "./class-viewer.strings";
import { count } from "../../strings/numbers";
import type { Translated } from "../../strings/translation";

const withUnit = (value: number, unit: string) =>
  unit === "%" ? `${figure(value)} %` : `${figure(value)}${unit && ` ${unit}`}`;

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
  pointed: (word) => `Sieh dir „${word}“ an`,
  question: "Eine Frage",
  ask: "Was meinst du?",
  field: (unit) => (unit ? `Deine Antwort, in ${unit}` : "Deine Antwort"),
  between: (low, high) => `Von ${figure(low)} bis ${figure(high)}.`,
  send: "Antworten",
  change: "Ändern",
  changeMore: "Du kannst sie ändern, solange Antworten angenommen werden.",
  sending: "Wird geschickt …",
  unsent: "Sie ist nicht angekommen. Versuch es noch einmal.",
  answered: (answered) =>
    answered > 1
      ? `${count(answered)} haben geantwortet`
      : answered
        ? "Eine Antwort ist da"
        : "Noch hat niemand geantwortet",
  closed: "Keine Antworten mehr. Bald siehst du, was passiert ist.",
  yours: (value, unit) => `Du hast ${withUnit(value, unit)} gesagt.`,
  yourChoice: (choice) => `Du hast „${choice}“ gesagt.`,
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
