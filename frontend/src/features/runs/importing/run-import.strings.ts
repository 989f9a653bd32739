/** Texts about importing a run from a file. */

import { table } from "../../../strings/translation";

export const runImport = table("runImport", {
  choose: "Import…",
  drop: "Drop the zip of a run to import it, or a text to train on it",
  wrong: "Only one file can be dropped: the zip of a run, made by Export, or a plain text (.txt).",
  sending: "Sending",
  checking: "Checking every step",
  done: "Imported:",
});
