/** Texts of the events in a run's record. */

import { table } from "./translation";

const USUAL: Partial<Record<string, string>> = {
  started: "Training started.",
  paused: "Training paused.",
  resumed: "Training resumed.",
  continued: "More steps are trained.",
  finished: "All steps are done.",
};

export const events = table("events", {
  title: "Event log",
  none: "No events.",
  /** The usual events of a run trained here, by kind. */
  usual: USUAL,
  atStep: (step: string) => `Step ${step}:`,
  contradiction:
    "This training reported things that contradict each other. What the page shows of these steps may be wrong:",
} as const);
