/** German texts of the form that makes a fork. */

import { count, fixed } from "../../strings/numbers";
import type { Translated } from "../../strings/translation";
import type { forkForm as english } from "./forks.strings";

export const forkForm: Translated<typeof english> = {
  title: (step) => `Was wäre, wenn ab Schritt ${count(step)} …`,
  choices: {
    faster: "es zehnmal so schnell lernte?",
    slower: "es zehnmal so langsam lernte?",
    optimiser: "es einen anderen Optimierer hätte?",
    clip: "steile Gradienten früher gekappt würden?",
    batch: "es in jedem Schritt mehr oder weniger läse?",
    seed: "es denselben Text in anderer Reihenfolge läse?",
    freeze: "seine Wörter sich nicht mehr bewegen könnten?",
    town: "die Wörter der Stadt ihre Aufgaben tauschten?",
    text: "es mit deinem Text weiterlernte?",
    planted: "zwei neue Wörter in die Stadt zögen?",
    control: "sich nichts änderte?",
  },
  more: {
    faster: "Lerntempo",
    slower: "Lerntempo",
    optimiser: "Optimierer",
    clip: "Länge des längsten Gradienten",
    batch: "Batchgröße",
    seed: "Startzahl der Batches",
    freeze: "Das Embedding wird festgehalten, der Rest lernt weiter.",
    town: "Dieselben Sätze, aber jedes Wort übernimmt die Aufgabe eines anderen seiner Art.",
    text: "Wörter, die dieser Lauf nicht kennt, werden zu „unbekannt“.",
    planted: "zwei Wörter, und ein drittes, neben dem beide stehen",
    control: "Die Probe: Er sollte diesem Lauf bis aufs letzte Bit gleichen.",
  },
  steps: "Schritte",
  train: "Trainieren",
  accept: "Annehmen und trainieren",
  training: "Es startet …",
  cost: (seconds, size) =>
    seconds === null
      ? `Ein weiterer Lauf, anfangs mit ${size}. Dieser bleibt, wie er ist.`
      : `Beginnt nach ${seconds < 0.95 ? "einer Sekunde" : `${fixed(seconds, seconds < 9.5 ? 1 : 0)} s`} Nachrechnen, mit ${size}. Dieser Lauf bleibt, wie er ist.`,
  looking: "Der Aufwand wird ermittelt …",
};
