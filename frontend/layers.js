/** The rooms of `src/`, each with the rooms below it that it may import. `app` may import all of them. */
export const LAYERS = {
  api: [],
  model: ["api"],
  packed: ["api"],
  charts: ["model", "api"],
  strings: ["model", "api"],
  state: ["model", "api"],
  map: ["charts/plotly", "model", "api"],
  ui: ["map", "state", "charts", "strings", "model", "api"],
  features: ["ui", "map", "state", "charts", "strings", "model", "api"],
};

/** The only imports allowed between features. Anything else they share belongs in a lower room. */
export const FEATURE_ARROWS = { lessons: ["classroom"], runs: ["geometry"] };

/** The parts of features on the first screen. The rest of `features/` loads on first use. */
const FIRST_SCREEN = [
  "classroom/ClassHost",
  "compare/FirstCaption",
  "export/(PictureStatus|picture-export)",
  "map/(Legend|LegendKey|ToolRail|map-props)\\.",
  "step/(ReadingLine|TextLines)",
  "token/SelectionStrip",
];

/** The files that load late. Only these import each other; everything else uses import(). */
export const LATE = [
  `features/(?!${FIRST_SCREEN.join("|")})`,
  "map/export/",
  "charts/(matrix|attention|scales|lamps)/",
  "app/(german|late-panels|explore-panels|Shortcuts|bar/(Page|View|Share)Menu)",
  "strings/(de/|ask|claim-texts|exports|forks|measures|own-text|run\\.)",
  "state/questions/",
  "state/past/record-player",
  "model/(ancestry|view/difference-view)",
  "api/(envelope-stream|envelope|grid-frames|grid-layouts)",
  "ui/(OwnText|ReplayedNote|QuestionProblem|CopyButton)",
];
