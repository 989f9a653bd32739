/** The rooms of `src/`, and which of the others each may import: only those below it. `app` may import them all. */
export const LAYERS = {
  api: [],
  model: ["api"],
  charts: ["model", "api"],
  strings: ["model", "api"],
  state: ["model", "api"],
  map: ["charts/plotly", "model", "api"],
  panels: ["map", "state", "charts", "strings", "model", "api"],
};
