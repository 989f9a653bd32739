/** Texts of the page as a whole: its name, its numbers on top, its notices. */

import type { ShortcutName } from "../model/shortcuts";
import type { Phase } from "../api/rest-types";
import { count } from "./numbers";

export const page = {
  product: "Lamplighter",
  map: "Map of the vocabulary. Drag to move, scroll to zoom, click a lamp to look at its token.",
  step: "step",
  loss: "loss",
  lossUnit: "nats a token",
  lossNats: "loss, nats",
  lossWithUnit: "loss, nats a token",
  rowsLit: (lit: number, all: number) => `${count(lit)} of ${count(all)} rows lit`,
  asleep: (rows: number) => `${count(rows)} asleep`,
  outside: (rows: number) => `${count(rows)} not in this batch`,
  drifting: (rows: number) => `${count(rows)} moved though not in the batch`,
  about: (what: string) => `about ${what}`,
  disk: {
    size: (taken: string, budget: string) => `${taken} on the disk, of a budget of ${budget}`,
    /** Suffixes of the size, by the state of the disk. */
    word: {
      all: "",
      paused: " · disk full",
      keyframes: " · budget nearly used",
      none: " · budget used up",
    },
    all: "",
    paused:
      "The disk is nearly full: snapshots pause, loss and lit rows are still kept. Make room, and they go on.",
    keyframes: "The disk budget is nearly used: only whole matrices are kept from here on.",
    none: "The disk budget is used up: no more snapshots are kept.",
  },
  recently: (rows: number, steps: number) => `${count(rows)} lit in the last ${count(steps)} steps`,
  ever: (rows: number, all: number) =>
    `${count(rows)} of ${count(all)} (${Math.floor((100 * rows) / Math.max(1, all))} %) lit at least once`,

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
  held: "about to begin",
  crowded: "waiting for room on the disk",
  link: {
    connecting: "connecting",
    open: "live",
    over: "connected",
    replay: "replay",
    past: "paused",
    waiting: "connection lost, trying again",
    refused: "not available",
  },
  tryNow: "Try now",

  /** About a part of the page whose code is loaded when it is first shown. */
  lazy: {
    loading: "Loading this part of the page",
    failed: "This part of the page did not load. If trying again does not help, reload the page.",
    again: "Try again",
  },

  newRun: {
    started: "A new run has started.",
    open: "Go to it",
    dismiss: "Stay here",
  },
  notice: {
    noRuns: "No city yet",
    noRunsMore: "Start a run, and watch it find its districts.",
    noRunsViewer: "When the presenter starts a run, it appears here by itself.",
    loading: "Fetching the city",
    waiting: "This run is waiting for a trainer",
    waitingMore: "It begins by itself as soon as one is free.",
    preparing: "Reading the corpus",
    preparingMore: "The lamps come on with the first step.",
    failed: "This run failed",
    refused: "This run cannot be shown",
    others: "Show the runs",
    crowded: "No room on the disk",
    gone: "No trainer at work",
    unplaced: "The map of the words is being prepared",
    held: "Then the model reads its first words. The first time, this takes a little longer.",
    begin: "Begin now",
    noServer: "The server does not answer",
    noServerMore: "Trying again. Nothing is lost: training does not depend on this page.",
  },

  warning: {
    crowded:
      "The disk is full, and training waits. Make room, and it goes on by itself: no step is lost.",
    superseded:
      "This step is superseded: training went back, and has not come as far again. When it has, what is shown here is the new step.",
    ahead: "Training has not come to this step yet. When it has, the step is shown here.",
    ended: (step: number) => `This run ended at step ${count(step)}.`,
    gone: "The trainer is gone. Where Lamplighter looks after the run it starts another, which repeats the steps since the last checkpoint: none is lost.",
  },

  dark: "The graphics card is busy elsewhere. The lamps come back by themselves; nothing is lost.",
  home: "Show the whole city",
  save: "Save the picture",
  pan: "Drag moves the map",
  lasso: "Lasso: draw around tokens (shift adds, alt takes out)",
  box: "Box: draw a box around tokens (shift adds, alt takes out)",

  panels: {
    token: "Token",
    step: "Step",
    matrix: "Matrix",
    run: "Run",
    gathered: "Gathered",
    map: "Map",
    measures: "Measures",
    export: "Export",
    runs: "Runs",
  },
  inspector: "Inspector",
  openShortcuts: "What you see, and shortcuts (?)",
  openInspector: "Open the inspector (i)",
  closeInspector: "Fold the inspector away (i)",

  search: {
    label: "Search a token",
    hint: "Search a token  /",
    none: "No token has that in it.",
    failed: "The search did not work.",
  },
  shortcuts: {
    seen: "What you see",
    /** About the map and what is beneath it; the rest of the page explains itself in place. */
    city: "On the map each lamp is a token, as bright as its row's gradient in this step; tokens whose rows are alike are drawn near each other where that can be.",
    title: "Shortcuts",
    close: "Close",
    or: "or",
    letters: "Single keys are shortcuts",
    lettersMore: "Turn this off if you dictate, or press keys that you do not mean. Esc stays.",
    spoken: "Tell a screen reader what the city is doing",
    spokenMore:
      "A sentence or two, at most every twelve seconds. Without it: only when training ends or the connection is lost.",
    does: {
      focusSearch: "search a token",
      togglePicture: "pause my picture, and play on",
      goLive: "back to live",
      stepBack: "one step back (paused, in the past, or when the run is over)",
      stepForward: "one step forward, in two beats",
      jumpBack: "ten steps back",
      jumpForward: "ten steps forward",
      goToFirstStep: "before the first step",
      goToNewestStep: "the newest step",
      toggleBeat: "hold the first beat of a step, and go on (paused)",
      trainOneStep: "one training step (presenter)",
      toggleMap: "UMAP or linear map",
      toggleSkyline: "the skyline, and back to the map",
      toggleSecondMap: "two maps side by side, and back to one",
      toggleLasso: "gather tokens with a lasso, and back to moving the map",
      toggleInspector: "fold the inspector in or out",
      showWholeMap: "the whole city",
      toggleEnlarged: "everything larger, for the back of the room",
      savePicture: "save the picture",
      zoomIn: "closer",
      zoomOut: "farther",
      dismiss: "close, let go",
      toggleShortcuts: "this list",
    } satisfies Record<ShortcutName, string>,
  },
} as const;
