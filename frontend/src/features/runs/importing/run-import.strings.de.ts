/** German texts about importing a run from a file. */

import type { runImport as english } from "./run-import.strings";
import { count } from "../../../strings/numbers";
import type { Translated } from "../../../strings/translation";

export const runImport: Translated<typeof english> = {
  choose: "Importieren …",
  drop: "Leg den Zip eines Laufs hier ab, um ihn zu importieren, oder einen Text, um damit zu trainieren",
  wrong: (name) =>
    `„${name}“ ist weder der Zip eines Laufs, wie Export ihn macht, noch reiner Text (.txt).`,
  many: (files) => `Bitte nur eine Datei auf einmal: Das sind ${count(files)}.`,
  empty: (name) => `„${name}“ ist leer.`,
  sending: "Wird gesendet",
  checking: "Jeder Schritt wird geprüft",
  done: "Importiert:",
};
