/** What went wrong before the server could say it in its own words. It imports nothing: all of the page may say it. */

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
