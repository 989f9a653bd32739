/** Texts of runs whose lights are words in their sentences, in each layer of another run's model. */

import { table } from "./translation";

export const hiddenStates = table("hiddenStates", {
  title: "Hidden states",
  layers: "The same word in each layer",
  of: "What each layer of a model makes of words in their sentences. The model belongs to another run:",
  gone: "That run is no longer here.",
  more: "What does each layer make of a word in its sentence? This command reads that at every saved state, and makes a run with a map of its own:",
  open: (name: string) => `Open ${name}`,
});
