/** Texts of the help on `?`, which load with it: what one sees, in plain words, then keys or gestures. */

import type { ShortcutName } from "../model/shortcuts";
import { table } from "../strings/translation";

export const help = table("help", {
  title: "What is this?",
  close: "Close",
  /** Questions about the page, each with its answer. */
  answers: [
    [
      "What am I looking at?",
      "A small language model learning to read, while you watch. Nothing here is a drawing of an idea: every light and number is measured as it trains.",
    ],
    [
      "Is the text real?",
      "The text of Lamptown is not: we generated it, and planted kinds of words and relations in it, so that what the model finds can be checked. It gets the text alone. What it finds there it has found again; in another text it may find something else. A text of your own is what it is.",
    ],
    [
      "What is a light?",
      "A word (in some texts a piece of a word). The model keeps a list of numbers for each word; the map places words by these numbers.",
    ],
    [
      "What is a step?",
      "The model reads a few sentences, guesses every next word, and then changes its numbers a little, so that it would have guessed better. That is one step. A run has thousands.",
    ],
    [
      "What does brightness say?",
      "Lit words are the ones being read in this step. The brighter a word, the more this step wants to change it. All other words are asleep: they wait for a sentence that they are in.",
    ],
    [
      "What does near mean?",
      "The model uses these words in much the same way, so their numbers are alike. Groups with a name are neighbourhoods. The grouping is the model\u2019s, and it was never told which words belong together. The name is ours: that of the planted kind that most of its words are of, or else its own words. In the lab, under Neighbourhoods, you can name all of them by their own words.",
    ],
    [
      "Where does the map go wrong?",
      "The model\u2019s space has dozens of directions and your screen has two, so some words lie next to strangers. Look at a word\u2019s own list of neighbours: that is measured in the full space. Right and left, up and down mean nothing.",
    ],
    [
      "What is surprise?",
      "How badly the model guessed, on average. Lower is better. At the start every word is as likely as any other; the more it learns, the fewer words it hesitates between.",
    ],
  ],
  introduction: "Show the introduction again",
  course: "Take the course",
  language: "Language",
  languageMore: "The page loads again, and shows what you see now.",
  keys: "Keys",
  gestures: "With your fingers",
  /** Gestures, each with what it does. */
  touches: [
    ["Tap a light", "see the word, and its neighbours"],
    ["Tap a name", "see that neighbourhood"],
    ["Drag", "move the map"],
    ["Pinch", "closer, farther"],
    ["Tap twice", "the whole map again"],
    ["Drag along the timeline", "go back and forth through the steps"],
  ],
  or: "or",
  /** The words on a key. */
  key: (label: string) => label,
  letters: "Single keys are shortcuts",
  lettersMore: "Turn this off if you dictate, or press keys that you do not mean. Esc stays.",
  spoken: "Tell a screen reader what is happening",
  spokenMore:
    "A sentence or two, at most every twelve seconds. Without it: only when training ends or the connection is lost.",
  endings: "Tell how a run ended",
  endingsMore: "What it learned, and what you can do then: once for each run, over the map.",
  does: {
    focusSearch: "find a word, a neighbourhood, a panel or a command",
    togglePicture: "freeze your screen, and play on",
    stepBack: "one step back (frozen, in the past, or when the run is over)",
    stepForward: "one step forward, in two beats: the reading, then the move",
    jumpBack: "ten steps back",
    jumpForward: "ten steps forward",
    goToFirstStep: "before the first step",
    goToNewestStep: "the newest step",
    dismiss: "close, let go",
    toggleShortcuts: "this help",
  } satisfies Record<ShortcutName, string>,
} as const);
