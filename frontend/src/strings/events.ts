/** Texts about what the record of a run says happened on the way. */

export const events = {
  title: "What happened on the way",
  none: "Nothing worth a line.",
  atStep: (step: string) => `Step ${step}:`,
  contradiction:
    "Something does not fit together in what this training reported. What the page shows of these steps may be wrong:",
} as const;
