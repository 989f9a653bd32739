/** The rooms of `src/`, each with the rooms below it, which it may import. `app` may import them all. */
export const LAYERS = {
  api: [],
  model: ["api"],
  packed: ["api"],
  charts: ["model", "api"],
  strings: ["model", "api"],
  state: ["model", "api"],
  map: ["charts/plotly", "model", "api"],
  panels: ["map", "state", "charts", "strings", "model", "api"],
};

/**
 * The parts of the page that load when they are first asked for, each with the files it consists of. Only these
 * import each other; everything else uses import().
 */
export const LATE = {
  "pictures and films load late": ["map/export/"],
  "the introduction and the end of a run load late": [
    "panels/story/",
    "state/story/",
    "strings/story",
    "model/(introduction|run-ending|district-to-tell)\\.",
  ],
  "other languages load late": ["strings/de/"],
  "panels that are opened later load late": [
    "panels/shell/(late-panels|explore-panels|palette|Shortcuts|ViewMenu|ShareMenu)",
    "strings/(help|palette|lesson|game|ask|saying|claims|microscope|matrix|film|own-text|run-form|measures|cost|exports|class|(run|map)\\.)",
    "panels/ask/",
    "panels/ui/(ReplayedNote|QuestionProblem|CopyButton|AnswerChart|SaveAnswers)",
    "panels/cost/",
    "panels/classroom/(?!ClassHost)",
    "state/classroom/",
    "api/(class-stream|envelope|class-frames|grid-layouts)",
    "state/past/record-player",
    "panels/microscope/",
    "panels/claims/",
    "panels/lessons/",
    "state/lessons/",
    "panels/game/",
    "state/game/",
    "model/guessing",
    "state/ask/",
    "state/claims/",
    "panels/token/",
    "panels/step/(?!ReadingLine|TextLines)",
    "charts/(matrix|attention|scales|lamps)/",
    "panels/matrix/",
    "panels/run/",
    "panels/map/(MapPanel|DistrictList)\\.",
    "panels/export/(ExportPanel|FilmPanel|PicturePanel|film-export|then-and-now)\\.",
    "panels/selection/(SelectionPanel|SelectBy|SelectionPairs)\\.",
  ],
};
