/** Texts of errors that the server could not word itself. This file imports no other, so that every part may use it. */

export const failures = {
  silent: "The server does not answer.",
  broken: "The answer broke off.",
  notAccepted: "not accepted",
  noMatrix: "What came is not a matrix.",
  noLayout: "What came is not a map.",
  noMapAt: (step: number) => `The map of step ${step} is not kept any more.`,
  noStep: (step: number) => `There is no step ${step}.`,
  noSuchMap: "This run has no map of that kind.",
} as const;
