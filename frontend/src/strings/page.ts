/** Texts of the whole page: its name, its header figures, its notices. */

import type { Phase } from "../api/rest-types";
import type { Level } from "../model/view/view-options";
import { count } from "./numbers";

export const page = {
  product: "Lamplighter",
  map: "Map of the vocabulary. Drag to move, scroll to zoom, click a lamp to look at its token.",
  step: "Step",
  ofSteps: (steps: number) => `of ${count(steps)}`,
  ownStep: (number: number | null) =>
    number === null
      ? "of a training whose numbers are not known"
      : `(${count(number)} in its training)`,
  reading: "Reading",
  readingOf: (all: number) => `of ${count(all)} words`,
  readingMore: (all: number) =>
    `The words that the model reads in this step light up, of the ${count(all)} that it knows of. In numbers: the rows of its embedding matrix that are in the batch.`,
  surprise: "Surprise",
  lowerIsBetter: "lower is better",
  surpriseMore: (loss: number) =>
    `How surprised the model is by the next word, on average (cross-entropy loss, in nats a word).${Number.isFinite(loss) ? ` As if it hesitated among about ${count(Math.max(1, Math.round(Math.exp(loss))))} equally likely words.` : ""}`,
  loss: "loss",
  lossWithUnit: "surprise (loss, nats a word)",
  asleep: (words: number) => `· ${count(words)} asleep`,
  outside: (words: number) => `· ${count(words)} not in this step`,
  drifting: (words: number) => `· ${count(words)} moved though not read`,
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
  ever: (rows: number, all: number) =>
    `${count(rows)} of ${count(all)} (${Math.floor((100 * rows) / Math.max(1, all))} %) lit at least once`,

  phase: {
    waiting: "waiting to start",
    preparing: "reading the text",
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
    past: "frozen",
    waiting: "connection lost, trying again",
    refused: "not available",
  },
  tryNow: "Try now",

  /** About a part of the page whose code loads when it is first displayed. */
  lazy: {
    loading: "Loading this part of the page",
    failed: "This part of the page did not load. If trying again does not help, reload the page.",
    again: "Try again",
    replaced:
      "Lamplighter was updated after you opened this page. Reload it to go on: you come back to what you see now.",
    reload: "Reload",
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
    waiting: "Starting…",
    waitingMore: "It begins by itself as soon as this computer has time for it.",
    preparing: "Reading the text",
    preparingMore: "The lights come on in a moment.",
    failed: "This run failed",
    refused: "This run cannot be shown",
    others: "Show the runs",
    crowded: "No room on the disk",
    gone: "Training broke off",
    unplaced: "Placing the words…",
    held: "Every light is a word. A small language model is about to read for the first time.",
    begin: "Begin now",
    noServer: "Connection lost, reconnecting.",
    noServerMore: "Training carries on.",
  },

  warning: {
    crowded:
      "The disk is full, and training waits. Make room, and it goes on by itself: no step is lost.",
    superseded:
      "Training went back to an earlier step and has not come this far again. When it has, the new step appears here.",
    ahead: "Training has not reached this step yet. It appears here when it has.",
    ended: (step: number) => `This run ended at step ${count(step)}.`,
    gone: "Training broke off. Where Lamplighter looks after this run, it goes on by itself from the last save: no step is lost.",
  },

  noWebgl:
    "This browser cannot draw the map, because it has no WebGL2. Everything but the map, its pictures and its films works.",
  dark: "The graphics card is busy elsewhere. The lamps come back by themselves; nothing is lost.",
  home: "Show the whole city",
  lasso: "Draw around words (g; Shift adds, Alt removes)",

  panels: {
    token: "Word",
    district: "Neighbourhood",
    step: "Step",
    matrix: "Matrix",
    run: "About this run",
    gathered: "Selection",
    ask: "Ask the model",
    geometry: "Geometry of words",
    game: "Odd one out",
    microscope: "Under the microscope",
    claims: "Is it true?",
    map: "Neighbourhoods",
    measures: "Measures",
    cost: "Cost",
    export: "Files",
    class: "Class",
    runs: "Runs",
  },
  /** Name of the last tab where files are not available. */
  pictures: "Pictures",
  inspector: "Panel",
  openRuns: "All runs: open another one, or start one",
  openShortcuts: "What is this? Help and keys (?)",
  closeInspector: "Close",
  more: "More: levels, view, share",

  levels: {
    label: "How much to show",
    name: { watch: "Watch", explore: "Explore", lab: "Lab" } satisfies Record<Level, string>,
    more: {
      watch: "The map alone",
      explore: "Look closer at a word, a neighbourhood, or a selection",
      lab: "Every number: the step, the matrix, measures, files",
    } satisfies Record<Level, string>,
    lab: "Lab",
  },
  viewMenu: {
    name: "View",
    more: "Which map, its colours, how fast, how large",
    legend: "Explain the colours",
    beats: "Show a step",
    beatsMore:
      "How often the map shows a step while the model trains. Each is one real step; those in between are counted.",
    beatsRate: (interval: number) =>
      interval <= 340 ? "3 times a second" : interval < 1_000 ? "every 0.7 s" : "every 2 s",
    enlarged: "Large type, for the back of the room",
    enlargedMore: "Type, names and contrast grow on this screen",
  },
  share: {
    name: "Share",
    more: "Pass on what you see: a link, a picture, a film, files",
    link: "Copy the link to this view",
    address: "Link to this view",
    linkMore: "It opens exactly what is on your screen, where this server can be reached.",
    copied: "Copied.",
    notCopied: "Your browser does not let the page copy: press Ctrl+C (or Cmd+C).",
    picture: "Save a picture",
    files: "Film, page to send, files …",
    pictures: "Pictures and films …",
    fileMore:
      "This page is a file. Send it to anybody: it opens in their browser, without a network.",
    class: "Let a class join …",
  },
  readingLine: {
    label:
      "Text of this step, and what the model says. Arrow keys go through the words, Enter chooses one",
    more: "The model is reading this. Each word is as bright as its light on the map.",
    lead: "It reads:",
    noText: "The text of this run is not kept.",
    withheld: "The presenter has not shared the text of this run.",
  },
  sheet: {
    raise: "Show all of it",
    lower: "Show less of it",
  },
  tools: "Tools of the map",
  zoomIn: "Closer (+)",
  zoomOut: "Farther (−)",

  search: {
    label: "Find a word, a place or a command",
    hint: "Find a word or command",
    none: (text: string) => `“${text}” isn't in this text.`,
    failed: "The search did not work.",
  },
} as const;
