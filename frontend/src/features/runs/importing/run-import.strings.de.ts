/** German texts about importing a run from a file. */

import type { runImport as english } from "./run-import.strings";
import type { Translated } from "../../../strings/translation";

export const runImport: Translated<typeof english> = {
  choose: "Importieren …",
  drop: "Leg den Zip eines Laufs hier ab, um ihn zu importieren, oder einen Text, um damit zu trainieren",
  wrong: "Nur eine Datei geht: der Zip eines Laufs, wie Export ihn macht, oder reiner Text (.txt).",
  sending: "Wird gesendet",
  checking: "Jeder Schritt wird geprüft",
  done: "Importiert:",
};
