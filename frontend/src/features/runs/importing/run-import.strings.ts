/** Texts about importing a run from a file. */

import { count } from "../../../strings/numbers";
import { table } from "../../../strings/translation";

export const runImport = table("runImport", {
  choose: "Import…",
  drop: "Drop the zip of a run to import it, or a text to train on it",
  wrong: (name: string) =>
    `“${name}” is neither the zip of a run, made by Export, nor a plain text (.txt).`,
  many: (files: number) => `Drop one file at a time: these are ${count(files)}.`,
  empty: (name: string) => `“${name}” is empty.`,
  sending: "Sending",
  checking: "Checking every step",
  done: "Imported:",
});
