/** Texts of the events in a run's record. */

import { table } from "./translation";

export const events = table("events", {
  title: "What happened on the way",
  none: "Nothing worth a line.",
  atStep: (step: string) => `Step ${step}:`,
  contradiction:
    "Something does not fit together in what this training reported. What the page shows of these steps may be wrong:",
} as const);
