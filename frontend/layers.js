/** The rooms of `src/`, each with the rooms below it, which it may import. `app` may import them all. */
export const LAYERS = {
  api: [],
  model: ["api"],
  charts: ["model", "api"],
  strings: ["model", "api"],
  state: ["model", "api"],
  map: ["charts/plotly", "model", "api"],
  panels: ["map", "state", "charts", "strings", "model", "api"],
};
