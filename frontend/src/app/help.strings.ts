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
      "A small language model learning to read while you watch. Nothing here is an illustration: every light and number is measured as it trains.",
    ],
    [
      "Is the text real?",
      "Lamptown’s text is generated. We planted kinds of words and relations in it, so that what the model finds can be checked. The model sees only the text, and rediscovers what we planted; in another text it may find something else. In a text of your own, nothing is planted.",
    ],
    [
      "What is a light?",
      "A word (in some texts a piece of a word). The model has a list of numbers for each word, and the map places words by these numbers.",
    ],
    [
      "What is a step?",
      "The model reads a few sentences, guesses every next word, then changes its numbers a little so that it would have guessed better. That is one step. A run has thousands.",
    ],
    [
      "What does brightness mean?",
      "Lit words are being read in this step. The brighter a word, the more this step wants to change it. All other words are asleep: they wait for a sentence that contains them.",
    ],
    [
      "What does near mean?",
      "The model uses these words in much the same way, so their numbers are alike. Groups with a name are neighbourhoods. The grouping is the model\u2019s: it was never told which words belong together. The name is ours: the planted kind of most of its words, or else its own words. In the lab, under Neighbourhoods, you can name them all after their own words.",
    ],
    [
      "Where does the map go wrong?",
      "The model\u2019s space has dozens of directions and your screen has two, so some words lie next to strangers. Trust a word\u2019s list of neighbours, which is measured in the full space. Left, right, up and down mean nothing.",
    ],
    [
      "What is surprise?",
      "How badly the model guessed, on average. Lower is better. At the start every word is equally likely; the more it learns, the fewer words it hesitates between.",
    ],
  ],
  introduction: "Show the introduction again",
  course: "Take the course",
  language: "Language",
  languageMore: "The page reloads and comes back to this view.",
  keys: "Keys",
  gestures: "Touch",
  /** Gestures, each with what it does. */
  touches: [
    ["Tap a light", "see the word and its neighbours"],
    ["Tap a name", "see that neighbourhood"],
    ["Drag", "move the map"],
    ["Pinch", "zoom in and out"],
    ["Tap twice", "show the whole map"],
    ["Drag along the timeline", "go back and forth through the steps"],
  ],
  or: "or",
  /** The words on a key. */
  key: (label: string) => label,
  letters: "Single keys are shortcuts",
  lettersMore: "Turn this off if you dictate or hit keys by accident. Esc still works.",
  spoken: "Tell a screen reader what is happening",
  spokenMore:
    "A sentence or two, at most every twelve seconds. Otherwise only when training ends or the connection is lost.",
  endings: "Say how a run ended",
  endingsMore: "What it learned and what you can do next: once per run, over the map.",
  does: {
    focusSearch: "find a word, a neighbourhood, a panel or a command",
    togglePicture: "pause the view, then play on",
    stepBack: "one step back (paused, in the past, or after the run)",
    stepForward: "one step forward, in two beats: reading, then update",
    jumpBack: "ten steps back",
    jumpForward: "ten steps forward",
    goToFirstStep: "before the first step",
    goToNewestStep: "the newest step",
    dismiss: "close, deselect",
    toggleShortcuts: "this help",
  } satisfies Record<ShortcutName, string>,
} as const);
