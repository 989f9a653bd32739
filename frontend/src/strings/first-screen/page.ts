/** Texts of the whole page: its name, its header figures, its notices. */

import type { Phase } from "../../api/rest-types";
import type { Level } from "../../model/view/view-options";
import { whole } from "../shares";
import { count } from "../numbers";

export const page = {
  product: "Lamplighter",
  map: "Map of the vocabulary. Drag to move, scroll to zoom, click a light to see its word.",
  step: "Step",
  ofSteps: (steps: number) => `of ${count(steps)}`,
  ownStep: (number: number | null) =>
    number === null
      ? "(its own step number is unknown)"
      : `(step ${count(number)} of its training)`,
  reading: "Words",
  readingOf: (all: number) => `of ${count(all)} in this step`,
  readingMore: (all: number) =>
    `The words that this step reads light up; the model knows ${count(all)}. In numbers: the rows of its embedding matrix in this batch.`,
  surprise: "Surprise",
  lowerIsBetter: "lower is better",
  surpriseMore: (loss: number) =>
    `How surprised the model is by the next word, on average (cross-entropy loss, in nats per word).${Number.isFinite(loss) ? ` As if it hesitated among about ${count(Math.max(1, Math.round(Math.exp(loss))))} equally likely words.` : ""}`,
  loss: "loss",
  lossWithUnit: "surprise (loss, nats per word)",
  asleep: (words: number) => `· ${count(words)} asleep`,
  outside: (words: number) => `· ${count(words)} not in this step`,
  drifting: (words: number) => `· ${count(words)} moved without being read`,
  disk: {
    all: "",
    paused:
      "The disk is nearly full, so snapshots are paused; loss and lit rows are still recorded. Free some space to resume them.",
    keyframes: "The disk budget is nearly used up: from here on only whole matrices are saved.",
    none: "The disk budget is used up: no more snapshots are saved.",
  },
  ever: (rows: number, all: number) =>
    `${count(rows)} of ${count(all)} (${whole(rows / Math.max(1, all))}) lit at least once`,

  phase: {
    waiting: "waiting to start",
    preparing: "reading the text",
    running: "training",
    paused: "training paused",
    finished: "finished",
    interrupted: "stopped",
    failed: "failed",
  } satisfies Record<Phase, string>,
  /** The phase of a run that trains while this view is at an earlier step. */
  continues: "training continues",
  gone: "no trainer running",
  held: "about to start",
  crowded: "waiting for disk space",
  link: {
    connecting: "connecting",
    open: "live",
    over: "connected",
    replay: "replay",
    past: "view paused",
    waiting: "connection lost, trying again",
    refused: "not available",
  },
  tryNow: "Try now",

  /** About a part of the page whose code loads when it is first displayed. */
  lazy: {
    loading: "Loading this part of the page",
    failed: "This part of the page did not load. Try again, or reload the page.",
    again: "Try again",
    replaced:
      "Lamplighter was updated after you opened this page. Reload to continue; you will come back to this view.",
    reload: "Reload",
  },

  newRun: {
    started: "A new run has started.",
    open: "Open it",
    dismiss: "Stay here",
  },
  notice: {
    noRuns: "No city yet",
    newRun: "New run",
    noRunsMore: "Start a run and watch its neighbourhoods form.",
    noRunsViewer: "When the presenter starts a run, it will appear here.",
    loading: "Loading the city",
    waiting: "Starting…",
    waitingMore: "Starts automatically when this computer is free.",
    preparing: "Reading the text",
    preparingMore: "The lights come on in a moment.",
    recomputing: (step: string) => `Recomputing step ${step}`,
    failed: "This run failed",
    refused: "This run cannot be shown",
    others: "Show all runs",
    crowded: "The disk is full",
    gone: "Training stopped unexpectedly",
    unplaced: "Placing the words…",
    held: "Every light is a word. A small language model is about to read for the first time.",
    begin: "Start now",
    noServer: "Connection lost, reconnecting.",
    noServerMore: "This page loads as soon as the server answers.",
  },

  warning: {
    unreachable: "The page keeps showing the last step that arrived.",
    crowded:
      "The disk is full, so training is waiting. Free some space and it resumes by itself; no step is lost.",
    superseded:
      "Training went back to an earlier step. When it reaches this one again, the new step will appear here.",
    ahead: "Training has not reached this step yet. It will appear here when it does.",
    ended: (step: number) => `This run ended at step ${count(step)}.`,
    gone: "Training stopped unexpectedly. If Lamplighter manages this run, it resumes from the last checkpoint; no step is lost.",
  },

  noWebgl:
    "This browser has no WebGL2, so it cannot draw the map. Everything else works, except images and videos.",
  dark: "The graphics card is busy. The lights will come back by themselves; nothing is lost.",
  home: "Show the whole city",
  lasso: "Lasso: draw around words (Shift adds, Alt removes)",

  panels: {
    token: "Word",
    district: "Neighbourhood",
    step: "Step",
    matrix: "Matrix",
    run: "About this run",
    gathered: "Selection",
    ask: "Ask the model",
    geometry: "Geometry of words",
    difference: "What differs",
    game: "Odd one out",
    microscope: "Under the microscope",
    claims: "Is it true?",
    seeds: "Would it happen again?",
    map: "Neighbourhoods",
    measures: "Measures",
    experiments: "Experiments",
    cost: "Cost",
    export: "Files",
    class: "Class",
    runs: "Runs",
  },
  /** Name of the last tab where files are not available. */
  pictures: "Images",
  inspector: "Panel",
  openRuns: "All runs: open or start one",
  openShortcuts: "What is this? Help and keys (?)",
  closeInspector: "Close",
  help: "Help",
  menu: "Menu",
  menuMore: "View, sharing and help",

  levels: {
    label: "How much to show",
    name: { watch: "Watch", explore: "Explore", lab: "Lab" } satisfies Record<Level, string>,
    more: {
      watch: "The map alone",
      explore: "A closer look at a word, a neighbourhood or a selection",
      lab: "Every number: the step, the matrix, measures, files",
    } satisfies Record<Level, string>,
    lab: "Lab",
  },
  viewMenu: {
    name: "View",
    legend: "Colour key",
    beats: "Update",
    beatsMore:
      "How often the map updates while the model trains. Each update is one real step; the steps between are counted.",
    beatsRate: (interval: number) =>
      interval <= 340 ? "3 times a second" : interval < 1_000 ? "every 0.7 s" : "every 2 s",
    theme: "Light",
    themeMore: "Night is best in a dark room, dusk in a bright one",
    themes: { night: "Night", dusk: "Dusk", system: "As the system" },
    enlarged: "Presentation mode: larger text",
    enlargedMore: "Larger text and names and more contrast, on this screen",
  },
  share: {
    name: "Share",
    link: "Copy the link to this view",
    address: "Link to this view",
    linkMore: "Opens this view for anyone who can reach this server.",
    copied: "Copied.",
    notCopied: "Your browser blocked copying: press Ctrl+C (or Cmd+C).",
    picture: "Save image",
    files: "Export video, web page or data…",
    pictures: "Export image or video…",
    fileMore: "This page is a file. Send it to anyone: it opens in their browser, even offline.",
    class: "Start a class…",
  },
  readingLine: {
    label:
      "Text of this step, and what the model says. Arrow keys move through the words; Enter selects one",
    more: "The model is reading this. Each word is as bright as its light on the map.",
    lead: "It reads:",
    noText: "This run’s text was not saved.",
    withheld: "The presenter has not shared the text of this run.",
    wordsOnly:
      "The words of this step were recorded, but not their order, so there is no text to show.",
    noWords: "The words of this step were not recorded.",
  },
  sheet: {
    raise: "Show more",
    lower: "Show less",
  },
  tools: "Map tools",
  zoomIn: "Zoom in",
  zoomOut: "Zoom out",

  search: {
    label: "Find a word, a place or a command",
    hint: "Find a word or command",
    none: (text: string) => `“${text}” isn't in this text.`,
    failed: "The search did not work.",
  },
} as const;
