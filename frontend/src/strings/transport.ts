/** Texts of the bottom bar: time, training, the view. */

import { count, fixed } from "./numbers";

const wordsOf = (words: number) => `${count(words)} ${words === 1 ? "word" : "words"}`;

const perSecond = (steps: number) => `${steps} ${steps === 1 ? "step" : "steps"}/s`;

const mapStarts = (start: number | null) =>
  `the map starts ${start === null ? "later" : `at step ${count(start)}`}`;

export const transport = {
  transport: {
    label: "Time",
    mine: "My screen",
    training: "Training",
    trainingMore: "For everyone: these change the training itself",
    pausePicture: "Freeze",
    live: "Live",
    pausePictureMore: "Freezes your screen; training goes on (space)",
    replayFromStart: "Replay from the start",
    replayFromStartMore: "Play this run again from before its first step",
    playing: (step: number, end: number) => `Replay: step ${count(step)} of ${count(end)}.`,
    played: (step: number) => `Replay: played to its end, step ${count(step)}.`,
    resumeReplay: "Play",
    resumeReplayMore: "Play on from this step, on this screen only (space)",
    stepBack: "One step back",
    stepBackMore: "The step before, on this screen only (←; with shift ten)",
    stepForward: "One step forward",
    microscope: "This step under the microscope",
    microscopeMore: "From the words of this step to the change of a single number",
    stepForwardMore:
      "The next step in two beats: first the light and the gradients, then the move (→; with shift ten)",
    pauseReplay: "Pause",
    pauseReplayMore: "Pauses this replay on this screen only; training does not notice (space)",
    toLiveMore: "Leave the past, to what is happening now",
    toEndMore: "Leave the past, to the end of the run",
    toEnd: "To the end",
    speed: "Speed of the replay, steps per second",
    speedOf: perSecond,
    recorded: "Recorded from somebody's own training",
    recordedMore: "Only the loop that trains this run can pause, pace or stop it.",
    still: "No training: one matrix as it is",
    stillMore: "There are no steps to freeze or to replay.",
    standing: (step: number) => `Step ${count(step)}, frozen on your screen.`,
    smoothed: "The replay is smooth now: from step 0 on every word stays near its place.",
    dragging: "Let go to stay at this step.",
    mapOf: (step: number) => `The map is of step ${count(step)}.`,
    superseded: (step: number, attempt: number) =>
      `step ${count(step)} of attempt ${count(attempt)} does not count any more: training went on from an earlier one. This is the step that counts now`,
    light: (words: number) =>
      `First the light: ${wordsOf(words)} read, the brighter the more this step wants to change them. The move comes next.`,
    move: (words: number) => `Then the move: ${wordsOf(words)} moved.`,
    mapMoves: "The map follows.",
    mapRests: "No map was drawn after it.",
    mapRestsHere: "This step has no map of its own.",
    nextMap: (step: number) => `Next map: step ${count(step)}`,
    nextMapMore: "Goes to the step at which the map was drawn next",
    pausedForAll: "Training is paused for everyone.",
    pauseTraining: "Pause training",
    resumeTraining: "Resume training",
    stepOnce: "One step",
    stepOnceMore:
      "One training step, shown in two beats on your live picture; then training is paused for everyone",
    pace: "Pace of training, steps per second",
    paceOf: (rate: number | null) => (rate ? perSecond(rate) : "full speed"),
    paceLater: (pace: string) => `When it goes on: ${pace}.`,
    stop: "Stop",
    continue: "Train on",
    acceptAndContinue: "Accept and train on",
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
    asked: "Requested. It takes effect at the next step.",
    changes: {
      label: (all: number) => `${count(all)} ${all === 1 ? "change" : "changes"} to neighbourhoods`,
      more: "Lists every change to a neighbourhood; each leads to its step",
      others: (more: number) => `and ${count(more)} more changes near this step`,
    },
    timeline:
      "Surprise (loss, nats per word) by step: the bright line is smoothed, the pale one is not. Arrows mark the largest changes to neighbourhoods, the strip below where changes are frequent.",
    scrub: "Step on display. Drag, or use the arrow keys, to move through the run",
    stays: (step: number) => `Step ${count(step)} stays on the screen.`,
    lost: (step: number) => `The connection is lost. This is step ${count(step)}.`,
    lostReplay: "The replay goes on when it is back.",
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

  mapSwitch: {
    label: "Map",
    umap: "Neighbourhoods",
    refit: "Neighbourhoods (refit)",
    pca: "PCA",
    linear: "Straight",
    umapMore: "Puts words that the model uses alike near each other (UMAP)",
    linearMore:
      "A plain projection: once its directions are fixed (step 400), a word whose vector did not change does not move here (linear)",
    waiting: "Placing the words … (straight view until then)",
    trust: (share: string, error: string) => `Map accuracy ${share} ± ${error} %`,
    trustMore:
      "How far neighbours on the map are true neighbours (trustworthiness, estimated on a sample of words).",
    starts: mapStarts,
    straight: (start: number | null) => `Straight view: ${mapStarts(start)}.`,
    none: (start: number | null) => `There is no map of this step: ${mapStarts(start)}.`,
    noTrust: "Map accuracy not measured yet",
  },
  colours: {
    label: "Colour",
    family: "family",
    class: "kind",
    district: "neighbourhood",
    frequency: "frequency",
    since: "last read",
    gradient: "last gradient",
    moved: "distance moved",
    trust: "reliability",
    more: "What the colour of a light says",
  },
} as const;
