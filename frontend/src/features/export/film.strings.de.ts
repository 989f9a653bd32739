/** German texts of the film panel, and those found only in films. */

import type { film as english } from "./film.strings";
import { count, fixed } from "../../strings/numbers";
import type { Translated } from "../../strings/translation";

export const film: Translated<typeof english> = {
  film: {
    title: "Einen Film machen",
    about:
      "Ein Film der Karte an den Schritten, die du nennst; die Seite läuft weiter. Die Lichter wechseln höchstens dreimal je Sekunde, jedes Mal zu denen eines echten Schritts.",
    from: "Von Schritt",
    to: "bis",
    step: "alle",
    lengthLabel: "Länge",
    seconds: (seconds) => (seconds === 60 ? "eine Minute" : `${seconds} Sekunden`),
    size: "Größe",
    sizes: {
      small: "1280 × 720",
      projector: "1920 × 1080",
      square: "quadratisch, 1440 × 1440",
    },
    light: "Lichter",
    beats: "verblassend",
    steady: "ruhig",
    length: (shots, seconds) =>
      `${count(shots)} ${shots === 1 ? "Schritt" : "Schritte"} zu sehen, ${fixed(seconds, 1)} s`,
    stride: (steps) => `die Lichter wechseln alle ${count(steps)} Bilder`,
    tooMany: (most) => `Ein Film hat höchstens ${count(most)} Schritte: Zeig weniger davon.`,
    starts: (step) => `Der Film beginnt mit der Karte, bei Schritt ${count(step)}.`,
    wrong: (first, last) =>
      `Die Schritte gehen von ${count(first)} bis ${count(last)}, der erste nicht nach dem letzten, und „alle“ ist mindestens 1.`,
    make: "Den Film machen",
    cancel: "Abbrechen",
    fetching: "Die Schritte werden geholt",
    drawing: "Die Bilder werden gezeichnet",
    save: "Den Film speichern",
    share: "Teilen",
    shown: "Der Film",
    colour: "Farbe",
    colourMore: {
      since: "Wie es bei jedem Schritt war.",
      gradient: "Vom letzten Schritt des Films, der das Wort gelesen hat.",
      moved: "Wie weit sich jeder Vektor über die Schritte bewegt hat, die die Legende nennt.",
      trust: "Von der Karte bei jedem Schritt.",
      district: "Wie sie bei jedem Schritt gefunden wurden.",
    },
    unknown: { gradient: "bisher in keinem Schritt des Films" },
    moved: (from, to) => `bewegt: von Schritt ${count(from)} bis ${count(to)}`,
    noVideo:
      "Dieser Browser macht an dieser Adresse keine Filme: Die meisten nur über https oder auf dem Rechner, auf dem Lamplighter läuft. Speichere stattdessen ein Bild.",
    failed: "Der Film konnte hier nicht gemacht werden; vielleicht geht es kleiner.",
    lamps: (step) => `Lichter von Schritt ${count(step)}`,
    every: (steps) =>
      steps === 1 ? "jeder Schritt ist zu sehen" : `jeder ${count(steps)}. Schritt ist zu sehen`,
  },
};
