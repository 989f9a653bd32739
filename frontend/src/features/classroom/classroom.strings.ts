/** Texts of the presenter's side of a class, which load with it. */

import type { ClassSubject } from "../../api/rest-types";
import { count } from "../../strings/numbers";
import { table } from "../../strings/translation";

const people = (number: number) => `${count(number)} ${number === 1 ? "person" : "people"}`;

export const classroom = table("classroom", {
  off: "This server answers on this computer alone. To let a class join with their phones and laptops, start it with:",
  offCommand: "lamplighter --classroom",
  offMore: "Your runs are still there. Whoever joins watches, and changes nothing.",

  join: "In the same Wi-Fi, open the address and type the code, or scan it.",
  qr: "QR code of the link to join by",
  code: "Code",
  address: "Address",
  otherAddresses: (addresses: readonly string[]) =>
    `If that does not open: ${addresses.join(" or ")}`,
  large: "Show it large",
  largeMore: "Fills the window, for a projector. Esc closes it.",
  renew: "New code",
  renewMore: "The old one stops working. Those who are in stay in.",
  door: "The door is open",
  doorMore: "People can join. Those who are in stay in.",
  listening: "The class can reach this server",
  listeningMore: "Off: everybody but you is cut off. On again: they come back.",
  clear:
    "Without https, others in the same network can read what the class sees and answers. Your own page, which can change and delete, never leaves this computer.",
  encrypted: "The class comes over https: nobody on the way can read along.",

  follow: "The class follows me",
  followMore: "They see the step, the map and the word that you see.",
  elsewhere: "The class follows another window of yours.",
  takeOver: "Follow this one",

  here: (connected: number) => (connected ? `${people(connected)} here` : "Nobody is here yet"),
  behind: (behind: number) => (behind ? `, ${count(behind)} more than a second behind` : ""),
  wrong: (codes: number) => `${count(codes)} wrong ${codes === 1 ? "code" : "codes"} so far.`,
  list: "Who is here",
  listMore: "There are no names: they are numbered as they joined.",
  member: (number: number, browser: string) => `${count(number)} · ${browser}`,
  away: "not connected",
  assistant: "assistant",
  raise: "Make assistant",
  raiseMore: "Can pause training, let it go on, set its pace, and point at a word for all",
  lower: "Only watch",
  remove: "Remove",
  removeSure: "Remove?",
  ofMember: (what: string, number: number) => `${what}: number ${count(number)}`,
  keep: "Keep",

  text: "What they may read",
  given: (run: string) => `The text of ${run}, and what the model says`,
  own: "your own text",

  end: "End the class",
  endMore: "Everybody is out; code, question and answers are gone.",
  endSure: "End it for all?",

  ask: {
    title: "Ask the class",
    more: "They predict. Then the model shows what it does, and all see both.",
    what: "What about?",
    /** Questions as a teacher would ask them. */
    about: {
      lit_next: "How many of the words will light up in the next step?",
      lit_word: "Will this word light up in the next step?",
      read_later: "How often will the model read this word?",
      falls_later: "Will the surprise be lower or higher?",
      loss_later: "What will the surprise be?",
      moved_later: "How far will this word have moved?",
      nearest: "Which of these will be nearest to this word?",
    } satisfies Record<ClassSubject, string>,
    word: "Word",
    findWord: "Find the word",
    findChoice: "Add a word",
    choices: "To choose from (two to six)",
    takeOut: (word: string) => `Take out ${word}`,
    steps: "After",
    stepsOf: (steps: number) => (steps === 1 ? "1 step" : `${count(steps)} steps`),
    send: "Ask",
    pauseFirst: "Pause training first: its next step comes at once.",
    running: "Open a run that is being trained: its next steps hold the answer.",
  },
  asked: {
    answered: (answered: number, connected: number) =>
      `${count(answered)} of ${count(Math.max(answered, connected))} have answered`,
    close: "No more answers",
    reveal: "Show what happened",
    comesAt: (step: number, now: number) =>
      `The answer comes at step ${count(step)}; training is at step ${count(now)}.`,
    drop: "Another question",
    save: "Save as CSV",
    file: "lamplighter-answers.csv",
  },
  corner: {
    label: "Joining the class",
    away: "Put this away",
    more: "The class",
    open: (connected: number) => `Class: ${count(connected)} here`,
  },
  screen: {
    title: "Join the class",
    open: "Open",
    type: "and type",
    scan: "or scan",
    close: "Close (Esc)",
  },
} as const);
