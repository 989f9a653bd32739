/** Texts of the presenter's side of a class, which load with it. */

import type { ClassSubject } from "../../api/rest-types";
import { count } from "../../strings/numbers";
import { table } from "../../strings/translation";

const people = (number: number) => `${count(number)} ${number === 1 ? "person" : "people"}`;

export const classroom = table("classroom", {
  off: "Only this computer can reach this server. To let a class join on phones and laptops, start it with:",
  offCommand: "lamplighter --classroom",
  offMore: "Your runs will still be there. People who join can watch but change nothing.",

  join: "On the same Wi-Fi, open the address and enter the code, or scan it.",
  qr: "QR code to join",
  code: "Code",
  address: "Address",
  otherAddresses: (addresses: readonly string[]) =>
    `If that does not open: ${addresses.join(" or ")}`,
  large: "Show full screen",
  largeMore: "Fills the window, for a projector. Esc closes it.",
  renew: "New code",
  renewMore: "The old code stops working. People already in stay in.",
  door: "The door is open",
  doorMore: "New people can join. People already in stay in.",
  listening: "The class can reach this server",
  listeningMore: "Off disconnects everyone but you; on brings them back.",
  clear:
    "Without HTTPS, others on this network can read what the class sees and answers. Your own page, which can change and delete runs, never leaves this computer.",
  encrypted: "The class uses HTTPS, so others on the network cannot read along.",

  follow: "The class follows me",
  followMore: "They see the step, the map and the word that you see.",
  elsewhere: "The class follows another window of yours.",
  takeOver: "Follow this one",

  here: (connected: number) => (connected ? `${people(connected)} here` : "No one here yet"),
  behind: (behind: number) => (behind ? `, ${count(behind)} more than a second behind` : ""),
  wrong: (codes: number) => `${count(codes)} wrong ${codes === 1 ? "code" : "codes"} so far.`,
  list: "Who is here",
  listMore: "No names: people are numbered in the order they joined.",
  member: (number: number, browser: string) => `${count(number)} · ${browser}`,
  away: "not connected",
  assistant: "assistant",
  raise: "Make assistant",
  raiseMore: "Can pause and resume training, set its speed, and point out a word to everyone",
  lower: "Make viewer",
  remove: "Remove",
  removeSure: "Remove?",
  ofMember: (what: string, number: number) => `${what}: number ${count(number)}`,
  keep: "Keep",

  text: "What they may read",
  given: (run: string) => `The text of ${run}, and what the model says`,
  own: "your own text",

  end: "End the class",
  endMore: "Everyone leaves; the code, question and answers are deleted.",
  endSure: "End it for everyone?",

  ask: {
    title: "Ask the class",
    more: "They predict, the model trains on, and everyone sees both.",
    what: "Topic",
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
    choices: "Choices (two to six)",
    takeOut: (word: string) => `Remove ${word}`,
    steps: "After",
    stepsOf: (steps: number) => (steps === 1 ? "1 step" : `${count(steps)} steps`),
    send: "Ask",
    pauseFirst: "Pause training first: the next step comes straight away.",
    running: "Open a run that is training: its next steps give the answer.",
  },
  asked: {
    answered: (answered: number, connected: number) =>
      `${count(answered)} of ${count(Math.max(answered, connected))} have answered`,
    close: "Close answers",
    reveal: "Show what happened",
    comesAt: (step: number, now: number) =>
      `The answer comes at step ${count(step)}; training is at step ${count(now)}.`,
    drop: "Another question",
    save: "Save as CSV",
    file: "lamplighter-answers.csv",
  },
  written: {
    title: "Two questions, before and after",
    more: "They write how “the dog meowed” can come about, and what to change. You read it in the CSV file; it ends with the class.",
    before: "Before the lesson",
    after: "After the lesson",
    kept: (answers: number[]) => `${answers.map(count).join(" and ")} answered`,
    next: "Second question",
    done: "Done",
  },
  corner: {
    label: "Joining the class",
    away: "Hide this",
    more: "The class",
    open: (connected: number) => `Class: ${count(connected)} here`,
  },
  screen: {
    title: "Join the class",
    open: "Open",
    type: "and enter",
    scan: "or scan",
    close: "Close (Esc)",
  },
} as const);
