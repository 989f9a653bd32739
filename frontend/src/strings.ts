/** Every sentence the page says, in one place. */

import type { ExportFormat, Phase } from "./wire/rest";

const number = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export const count = (value: number) => number.format(value);

export function fixed(value: number | null | undefined, digits: number): string {
  return value === null || value === undefined || !Number.isFinite(value)
    ? "–"
    : value.toFixed(digits);
}

/** A small number with three significant digits, without an exponent while that is readable. */
export function small(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  return size >= 0.001 && size < 10_000 ? String(+value.toPrecision(3)) : value.toExponential(1);
}

export function bytes(value: number): string {
  if (value < 1e6) return `${count(value / 1e3)} kB`;
  if (value < 1e7) return `${(value / 1e6).toFixed(1)} MB`;
  return value < 1e9 ? `${count(value / 1e6)} MB` : `${(value / 1e9).toFixed(1)} GB`;
}

export const t = {
  product: "Lamplighter",
  map: "Map of the vocabulary. Drag to move, scroll to zoom, click a lamp to look at its token.",
  step: "step",
  loss: "loss",
  lossUnit: "nats a token",
  rowsLit: (lit: number, all: number) => `${count(lit)} of ${count(all)} rows lit`,
  asleep: (rows: number) => `${count(rows)} asleep`,
  outside: (rows: number) => `${count(rows)} not in this batch`,
  drifting: (rows: number) => `${count(rows)} moved though not in the batch`,
  about: (what: string) => `about ${what}`,
  disk: {
    size: (taken: string, budget: string) => `${taken} on the disk, of a budget of ${budget}`,
    full: "disk full",
    all: "",
    paused:
      "The disk is nearly full: snapshots pause, loss and lit rows are still kept. Make room, and they go on.",
    keyframes: "The disk budget is nearly used: only whole matrices are kept from here on.",
    none: "The disk budget is used up: no more snapshots are kept.",
  },
  recently: (rows: number, steps: number) => `${count(rows)} lit in the last ${count(steps)} steps`,
  ever: (rows: number, all: number) =>
    `${count(rows)} of ${count(all)} (${Math.floor((100 * rows) / Math.max(1, all))} %) lit at least once`,
  summary: (step: number, loss: string, lit: number, all: number, words: string) =>
    `Step ${count(step)}, loss ${loss}. ${count(lit)} of ${count(all)} rows lit${words && `, brightest: ${words}`}.`,

  phase: {
    waiting: "waiting to start",
    preparing: "reading the corpus",
    running: "training",
    paused: "training paused",
    finished: "finished",
    interrupted: "stopped",
    failed: "failed",
  } satisfies Record<Phase, string>,
  gone: "no trainer at work",
  link: {
    connecting: "connecting",
    open: "live",
    replay: "replay",
    waiting: "connection lost, trying again",
    refused: "not available",
  },
  tryNow: "Try now",

  notice: {
    noRuns: "No city yet",
    noRunsMore: "Start a run, and watch it find its districts.",
    loading: "Fetching the city",
    waiting: "This run is waiting for a trainer",
    preparing: "Reading the corpus",
    preparingMore: "The lamps come on with the first step.",
    failed: "This run failed",
    refused: "This run cannot be shown",
    unplaced: "The tokens have no places yet",
    unplacedMore: "The first map appears in a moment.",
    noServer: "The server does not answer",
    noServerMore: "Trying again. Nothing is lost: training does not depend on this page.",
  },

  transport: {
    label: "Transport",
    pausePicture: "Pause my picture",
    live: "Live",
    pausePictureMore: "Freezes this screen only; training goes on (space)",
    liveMore: "Back to what is happening now (space)",
    replayFromStart: "Replay from the start",
    replayFromStartMore: "Play this run again from before its first step",
    playing: (step: number, end: number) => `replay: step ${count(step)} of ${count(end)}`,
    played: (step: number) => `replay: played to its end, step ${count(step)}`,
    replayPaused: (step: number) => `replay paused at step ${count(step)}`,
    resumeReplay: "Go on",
    resumeReplayMore: "Go on with the replay (space)",
    pauseReplay: "Pause",
    pauseReplayMore: "Pauses this replay on this screen only; training does not notice (space)",
    toLiveMore: "Leave the replay, to what is happening now (l)",
    toEndMore: "Leave the replay, to the end of the run (l)",
    toEnd: "To the end",
    speed: "Speed of the replay",
    speedOf: (speed: number) => `${speed} a second`,
    recorded: "recorded from its own training loop",
    recordedMore: "Only the loop that trains this run can pause, pace or stop it.",
    still: "a still city: no training",
    stillMore: "One embedding matrix, shown as it is. There are no steps to pause or to replay.",
    frozen: (step: number) => `your picture is paused at step ${count(step)}`,
    pauseTraining: "Pause training",
    resumeTraining: "Resume training",
    stepOnce: "One step",
    stepOnceMore: "One training step, then pause (.)",
    pace: "Pace of training",
    paceFull: "full speed",
    paceSome: (rate: number) => `${rate} a second`,
    paceSingle: "single steps",
    stop: "Stop",
    stopMore: "Saves a checkpoint and ends the run here; it can be continued",
    continue: "Continue",
    rate: "learning rate",
    rateMore:
      "What to go on with; a third of the planned one is proposed, since the run failed with that",
    continueMore: {
      finished: (steps: number) => `Train ${count(steps)} more steps`,
      interrupted: (end: number) =>
        `Go on from where it was stopped, to step ${count(end)} as planned`,
      failed: (end: number) =>
        `Try again from the last checkpoint, to step ${count(end)} as planned`,
    },
    viewer: "Only the presenter can do this. Open Lamplighter by its launch link to present.",
    asked: "asked for; takes effect at the next step",
    beats: "Beats",
    beatsMore:
      "How often the map shows a step. Each beat is one real step; the others are counted.",
    beatsRate: (interval: number) =>
      interval <= 340 ? "3 a second" : interval < 1_000 ? "calm" : "slow",
    landmarks: "What became of districts",
    timeline:
      "Loss by step. The bright line is smoothed, the pale one is not. A click replays from that step.",
  },

  mapSwitch: {
    label: "Map",
    umap: "UMAP",
    refit: "refit",
    pca: "PCA",
    linear: "linear",
    umapMore: "Puts rows that are near in the space near on the map (m)",
    linearMore:
      "A plain projection: once its basis is fixed (step 400), a row that did not move in the space does not move here (m)",
    waiting: "UMAP is warming up; this is the linear map",
    trust: (trust: string, error: string) => `trust ${trust} ± ${error}`,
    trustMore:
      "Trustworthiness: how far neighbours on the map are neighbours in the space. 1 is perfect; estimated on a sample of tokens.",
    otherTime: (step: number) => `map of step ${count(step)}: none is older`,
    noTrust: "trust not estimated yet",
  },
  colours: {
    label: "Colour",
    class: "class",
    district: "district",
    frequency: "frequency",
    since: "last lit",
    more: "What the colour of a lamp says",
  },
  home: "Show the whole city",
  save: "Save the picture",

  panels: {
    token: "Token",
    step: "Step",
    map: "Map",
    measures: "Measures",
    export: "Export",
    runs: "Runs",
  },
  inspector: "Inspector",
  openInspector: "Open the inspector (i)",
  closeInspector: "Fold the inspector away (i)",

  search: {
    label: "Search a token",
    hint: "Search a token  /",
    none: "No token has that in it.",
    failed: "The search did not work.",
  },
  token: {
    none: "No token chosen",
    noneMore: "Click a lamp, or press / and search.",
    about: "One row of the embedding matrix: its neighbours are the rows that point the same way.",
    class: "planted class",
    noClass: "none",
    count: "in the corpus",
    times: (n: number) => (n === 1 ? "once" : `${count(n)} times`),
    norm: "length of its row",
    touches: "in batches",
    lastLit: "last lit",
    ago: (steps: number, about = false) => {
      if (steps <= 0) return about ? "in one of the last steps" : "in this step";
      const ago = steps === 1 ? "1 step ago" : `${count(steps)} steps ago`;
      return about ? `about ${ago}` : ago;
    },
    never: "never yet",
    trust: "trust of its place",
    trusted: (own: number) =>
      `${own.toFixed(2)}, ${own < 0.25 ? "doubtful: it hardly belongs here" : own < 0.6 ? "partly its neighbourhood" : "its neighbourhood"}`,
    noTrust: "not known yet",
    district: "district",
    gradient: "gradient when last lit",
    unseen: "not seen yet",
    neighbours: "Nearest in the space",
    cosine: "cosine",
    at: (step: number, exact: boolean) =>
      `at step ${count(step)}${exact ? "" : " (nearest kept snapshot)"}`,
    clear: "Let go of this token",
  },
  stepPanel: {
    about: "What one training step read, which rows it woke, and how strongly.",
    sets: "Rows of the embedding",
    inBatch: "in the batch",
    gotGradient: "got a gradient",
    moved: "moved",
    verified: "checked against the whole matrix",
    notVerified: "only rows with a gradient were looked at in this step",
    river: "Gradient, flowing back from the loss",
    riverMore:
      "Width: Euclidean norm of each layer's gradient in this step, before clipping. From the loss (left) to the embedding (right).",
    riverAxis: "gradient norm",
    history: "Gradient norm by layer, step by step (logarithmic)",
    text: "The batch, as the model reads it",
    textMore:
      "The brighter the word, the stronger its row's gradient. After the arrow: the last word to predict, which the model does not read.",
    target: "Only to be predicted: not read in this step, unless it also stands elsewhere",
    showText: "Show the text of this step",
    noText: "The text of this step is not kept.",
    waiting: "The first step has not come yet.",
    still: "A still city: one embedding matrix as it is. There are no training steps to look at.",
  },
  measuresPanel: {
    about: "What can be computed from the record of the run, as it is computed.",
    none: "Nothing measured yet",
    noneMore: "The analyst computes purity and other measures while the run trains.",
    titles: {
      purity: "Neighbours of the same class",
      analogy: "Analogies",
      coverage: "Rows lit at least once",
      effective_rank: "Directions in use",
      length_log_count_spearman: "Length of a row and frequency",
    } as Record<string, string>,
    more: {
      purity:
        "Among the tokens that have a planted class: the share of a token's ten nearest that are of its own class (of fewer where its class has no ten others), averaged over classes. Dashed: what chance gives.",
      analogy:
        "king - man + woman = ?, for each planted relation: how often the answer is the nearest row.",
      coverage: "The share of all rows that have been in a batch.",
      effective_rank:
        "Effective rank: how many directions the embedding really uses, of as many as a row has numbers.",
      length_log_count_spearman:
        "Rank correlation of a row's length with the logarithm of its token's count. 0: none, 1: perfect.",
    } as Record<string, string>,
    lines: {
      purity_10nn: "10-NN purity",
      purity_chance: "chance",
      analogy_chance: "chance",
    } as Record<string, string>,
  },
  districts: {
    doubtful: "Mark doubtful places",
    doubtfulMore: "Puts a cross on tokens that are shown where they do not belong.",
    unknown: "How far each token belongs where it is shown is not known yet.",
    said: (doubtful: number, all: number) =>
      `${count(doubtful)} of ${count(all)} tokens (${Math.round((100 * doubtful) / Math.max(1, all))} %) are crossed: hardly any of what lies around them on this map is near them in the space.`,
    title: "Districts",
    none: "Nobody has looked for districts in this run.",
    noneYet: (step: number) =>
      `At step ${count(step)} there are none: no tokens lie close enough together in the space.`,
    about: (districts: number, step: number) =>
      `${count(districts)} ${districts === 1 ? "cluster" : "clusters"} of the space, not of the picture, at step ${count(step)}. A click on a name rings its tokens.`,
    more: (tokens: number) => `and ${count(tokens)} more`,
  },
  mapPanel: {
    drawing: "Drawing",
    about:
      "How the map is drawn. A change takes effect while it runs: the tokens flow to their new places. It changes the picture, never what is learned.",
    viewer: "Only the presenter can change the map (open Lamplighter by its launch link).",
    method: "Drawn by",
    methods: {
      umap: ["living UMAP", "One UMAP layout that stays alive while the space under it moves."],
      refit: [
        "UMAP, fitted anew",
        "A fit from scratch each time, laid over the last picture: slower, and it jumps.",
      ],
      pca: ["PCA", "The two directions in which the tokens differ most, chosen for each picture."],
    } satisfies Record<"umap" | "refit" | "pca", [string, string]>,
    neighbours: "Neighbours",
    neighboursMore: "How many nearest tokens count for each: few make islands, many make one land.",
    minDist: "Least distance",
    minDistMore: "How close together tokens may lie: small makes heaps, large makes streets.",
    spread: "Spread",
    spreadMore: "How far out a neighbourhood reaches; never below the least distance.",
    apply: "Apply",
    applied: "The map is drawn so.",
    asked: "Asked for: the map is on its way there.",
    made: (method: string, neighbours: number, minDist: number, spread: number) =>
      `Drawn by ${method} with ${count(neighbours)} neighbours, least distance ${minDist}, spread ${spread}.`,
    madePlain: (method: string) => `Drawn by ${method}.`,
    now: "The picture now",
    again: "For replay",
    againMore:
      "A finished run can be laid out once more, all its steps together: every token stays near its place from step to step. The map as it was live is kept.",
    begin: "Lay out anew",
    cancel: "Cancel",
    running: "is being laid out anew",
    notOver: "Once this run is over.",
    cancelled: "Cancelled; nothing was changed.",
    anew: (steps: number, last: number) =>
      `${count(steps)} steps are laid out anew, up to step ${count(last)}.`,
    set: "The replay shows the map",
    sets: { live: "as it was live", again: "laid out anew" },
    linear: (step: number) =>
      `The linear view looks along directions chosen from the space at step ${count(step)}.`,
  },
  exportPanel: {
    about: "The run as a file: for colleagues, other programs, or a class without a network.",
    viewer:
      "Only the presenter can make exports (open Lamplighter by its launch link). What is made can be downloaded here.",
    notBegun: "There is nothing to export yet: this run has not begun to train.",
    none: "Nothing made yet. What is made stays here for download until the server ends.",
    whole: "The whole run",
    one: "One step",
    step: "Step",
    newest: "newest",
    stepMore: "Empty: the newest step that was kept exactly",
    make: "Make",
    cancel: "Cancel",
    discard: "Discard",
    download: "Download",
    atStep: (step: number) => `step ${count(step)}`,
    progress: (share: number, what: string) =>
      `${Math.floor(100 * share)} %${what && ` · ${what}`}`,
    cancelled: "cancelled",
    leftOut: "Left out:",
    state: {
      running: "is being made",
      done: "is ready",
      failed: "failed",
      cancelled: "was cancelled",
    },
    formats: {
      html: [
        "Replay page",
        "One HTML page that replays the run by a double click: no server, no network.",
      ],
      zip: [
        "Zip of the run",
        "Everything in it, the text included, to look at elsewhere or go on with: lamplighter import.",
      ],
      csv: ["CSV", "A row a step: losses, speeds, rows lit, gradient norms, measures."],
      "embedding-projector": [
        "Embedding Projector",
        "Vectors and tokens for projector.tensorflow.org, as a zip to unpack.",
      ],
      parquet: ["Parquet", "A row a token, for Embedding Atlas and data frames."],
      safetensors: ["safetensors", "The embedding and the map, bit for bit."],
      npy: ["npy", "The embedding alone, for NumPy."],
    } satisfies Record<ExportFormat, [string, string]>,
  },
  runsPanel: {
    about: "Every run is a folder; open one, or start another.",
    new: "New run",
    back: "Back to the list",
    remove: "Delete",
    sure: "Move to trash?",
    removeMore: "The run goes to the trash folder",
    keep: "Keep",
    none: "There are no runs yet.",
    unreadable: "cannot be read",
    of: (step: number, steps: number) => `step ${count(step)} of ${count(steps)}`,
    budget: (most: string) => `of at most ${most}`,
  },
  form: {
    about: "Anything left alone has a sensible value.",
    corpus: "Text",
    lamptown: "Lamptown",
    lamptownMore: "A generated town with planted classes, so that what is learned can be checked.",
    manuals: "Manuals",
    manualsMore: "The documentation of the Python packages on the server: real English.",
    text: "A text of yours",
    textMore: "Any UTF-8 text file, at most 64 MB. It stays on this server.",
    file: "Text file",
    noFile: "Choose a text file first.",
    optimiser: "Optimiser",
    lazy: "lazy: only touched rows are updated",
    adam: "Adam: sleeping rows drift on by momentum",
    sgd: "SGD: no momentum, sleeping rows rest",
    tied: "Tied weights",
    tiedMore:
      "One matrix for reading and predicting: then every row gets a gradient at every step.",
    vocabulary: "Vocabulary",
    vocabularyMore: "Most tokens the map may have.",
    steps: "Steps",
    stepsMore: "Where the run ends; it can be continued.",
    seed: "Seed",
    seedMore: "The same seed gives the same run.",
    rate: "Learning rate",
    rateMore: "The size of a step. Too large, and the loss jumps.",
    dim: "Width",
    dimMore: "Numbers in a row of the embedding; a multiple of the number of heads, 4.",
    layers: "Layers",
    layersMore: "Blocks of attention and MLP.",
    keyframes: "Whole every",
    keyframesMore: "Steps between two whole matrices; in between, the rows that moved are kept.",
    budget: "Disk, MB",
    budgetMore: "The most the run may take. Near it only whole matrices are kept, then none.",
    estimate: (size: string) => `About ${size} on the disk when it is done.`,
    tooLarge: (size: string, budget: string) =>
      `Every snapshot would take about ${size}. Near the ${budget} of its budget the run keeps less.`,
    inexact: (every: number) =>
      `With this optimiser nearly every row moves: a whole matrix is kept every ${count(every)} steps.`,
    parts: {
      moved_rows: "moved rows",
      keyframes: "whole matrices",
      steps: "loss and lit rows",
      map: "map",
      checkpoints: "checkpoints",
      corpus: "text",
    },
    shuffle: "Shuffle the words of each document",
    shuffleMore: "The control: the same words without their order.",
    more: "More settings",
    start: "Start training",
    starting: "Starting",
  },
  shortcuts: {
    title: "Shortcuts",
    close: "Close",
    list: [
      ["/", "search a token"],
      ["space", "pause my picture or replay, and go on"],
      ["l", "back to live"],
      [".", "one training step (presenter)"],
      ["m", "UMAP or linear map"],
      ["i", "fold the inspector in or out"],
      ["h", "the whole city"],
      ["+ −", "closer, farther"],
      ["Esc", "close, let go"],
      ["?", "this list"],
    ],
  },
} as const;
