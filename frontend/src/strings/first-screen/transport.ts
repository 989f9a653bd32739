/** Texts of the bottom bar: time, training, the view. */

import { inTen } from "../shares";
import { count, fixed } from "../numbers";

const wordsOf = (words: number) => `${count(words)} ${words === 1 ? "word" : "words"}`;

const perSecond = (steps: number) => `${steps} ${steps === 1 ? "step" : "steps"}/s`;

const mapStarts = (start: number | null) =>
  `the map starts ${start === null ? "later" : `at step ${count(start)}`}`;

export const transport = {
  transport: {
    label: "Time",
    mine: "My view",
    training: "Training",
    trainingPaused: "Training paused",
    trainingMore: "For everyone: this changes the training itself",
    pausePicture: "Pause view",
    live: "Back to live",
    pausePictureMore: "Pauses this screen only; training continues (space)",
    replayFromStart: "Replay from the start",
    replayFromStartMore: "Play this run again from before its first step",
    played: "The replay has ended.",
    resumeReplay: "Play",
    resumeReplayMore: "Continues from this step, on this screen only (space)",
    stepBack: "One step back",
    stepBackMore: "The step before, on this screen only (←; with shift ten)",
    stepForward: "One step forward",
    microscope: "This step under the microscope",
    microscopeMore: "From the words of this step to the change of a single number",
    stepForwardMore:
      "The next step in two beats: first the light and the gradients, then the move (→; with shift ten)",
    pauseReplayMore: "Pauses the replay on this screen only (space)",
    toLiveMore: "Leaves the past and shows the newest step",
    toEnd: "Jump to end",
    speed: "Replay speed, steps per second",
    speedOf: perSecond,
    recorded: "Recorded from a separate training loop",
    still: "No training: one matrix as it is",
    checked: "Problems found: ",
    smoothed: "The replay is smooth now: from step 0 on, every word stays near its place.",
    dragging: "Release to stay at this step.",
    mapOf: (step: number) => `The map is of step ${count(step)}.`,
    superseded: (step: number, attempt: number) =>
      `Step ${count(step)} of attempt ${count(attempt)} no longer counts: training restarted before it, and this step replaced it.`,
    light: (words: number) =>
      `First the light: ${wordsOf(words)} read; the brighter, the more this step wants to change them. The move comes next.`,
    move: (words: number) => `Then the move: ${wordsOf(words)} moved.`,
    mapMoves: "The map follows.",
    mapRests: "No map was drawn after this step.",
    pausedForAll: "Training is paused for everyone.",
    pauseTraining: "Pause training",
    resumeTraining: "Resume training",
    stepOnce: "One step",
    stepOnceMore:
      "One training step, shown in two beats on your live view; then training is paused for everyone",
    pace: "Training speed",
    paceOf: (rate: number | null) => (rate ? perSecond(rate) : "full speed"),
    paceLater: (pace: string) => `Will resume at ${pace}.`,
    continue: "Keep training",
    whatIf: "What if …",
    whatIfMore: "Train on from this step with one thing changed, as a run of its own",
    acceptAndContinue: "Accept and keep training",
    rate: "learning rate",
    rateMore:
      "The learning rate to continue with. A third of the planned one is suggested, because the run failed with that",
    continueMore: {
      finished: (steps: number) => `Train ${count(steps)} more steps`,
      interrupted: (end: number) =>
        `Continue from where it stopped, to step ${count(end)} as planned`,
      failed: (end: number) =>
        `Try again from the last checkpoint, to step ${count(end)} as planned`,
    },
    viewer: "Only the presenter can do this. Open Lamplighter by its launch link to present.",
    asked: "Requested. It takes effect at the next step.",
    changes: {
      label: (all: number) => `${count(all)} ${all === 1 ? "change" : "changes"} to neighbourhoods`,
      more: "Lists every turning point and change to a neighbourhood; each leads to its step",
      others: (more: number) => `and ${count(more)} more changes near this step`,
    },
    timeline:
      "Surprise (loss, nats per word) by step: the bright line is smoothed, the pale one is not. Arrows mark turning points of the curves and the largest changes to neighbourhoods, the strip below where there are many.",
    scrub: "Step on display. Drag, or use the arrow keys, to move through the run",
    stays: (step: number) => `Step ${count(step)} stays on the screen.`,
    /** Describe a step by its known figures; NaN: a missing loss. */
    stepInWords: (
      step: number,
      loss: number | null,
      rows: number | null,
      all: number,
      heldOut: { loss: number; step: number } | null,
    ) =>
      [
        `step ${count(step)}`,
        ...(loss === null ? ["…"] : Number.isNaN(loss) ? [] : [`surprise ${fixed(loss, 2)}`]),
        ...(heldOut
          ? [`${fixed(heldOut.loss, 2)} on text it never read (step ${count(heldOut.step)})`]
          : []),
        ...(rows === null ? [] : [`${count(rows)} of ${count(all)} words read so far`]),
      ].join(" · "),
  },

  /** About something that the server was asked for and has not sent yet. */
  awaiting: {
    step: (step: number) => `Loading step ${count(step)}…`,
    stepLater: (step: number) => `Step ${count(step)} appears when it does.`,
    word: "Loading its neighbours…",
    wordLater: "Its neighbours appear when it does.",
    search: "Searching…",
    searchLater: "The word opens when it does.",
    partLater: "This part of the page opens when it does.",
    late: "The server has not answered yet.",
    stop: "Stop waiting",
  },

  mapSwitch: {
    label: "Map",
    umap: "Neighbourhoods",
    refit: "Neighbourhoods (refit)",
    pca: "PCA",
    linear: "Linear",
    umapMore: "Puts words that the model uses alike near each other (UMAP)",
    linearMore:
      "A plain projection: once its directions are fixed (step 400), a word whose vector has not changed does not move",
    waiting: "Placing the words… (linear view until then)",
    trust: (recall: number) => `${inTen(recall)} in 10 neighbours on the map are real`,
    trustMore: (trust: number, error: number) =>
      `Of the ten words nearest to a word on the map, how many are among its ten nearest in the full space: the mean over a sample of words. Trustworthiness, which forgives near misses: ${fixed(100 * trust, 1)} ± ${fixed(100 * error, 1)}\u00a0%.`,
    starts: mapStarts,
    straight: (start: number | null) => `Linear view: ${mapStarts(start)}.`,
    none: (start: number | null) => `There is no map of this step: ${mapStarts(start)}.`,
    noTrust: "How many neighbours on the map are real is not measured yet",
  },
  colours: {
    label: "Colour",
    family: "family",
    class: "kind",
    district: "neighbourhood",
    frequency: "frequency",
    age: "when learned",
    since: "last read",
    gradient: "last gradient",
    moved: "distance moved",
    trust: "reliability",
    aligned: "distance to the other run",
    raw: "distance, spaces not turned",
    neighbours: "neighbours that differ",
    phase: "place on the circle",
    owner: "process",
    more: "What the colour of a light says",
  },
} as const;
