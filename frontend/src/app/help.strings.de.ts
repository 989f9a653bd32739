/** German texts of the help. */

import type { help as english } from "./help.strings";
import type { Translated } from "../strings/translation";

export const help: Translated<typeof english> = {
  title: "Was ist das?",
  close: "Schließen",
  answers: [
    [
      "Was sehe ich hier?",
      "Ein kleines Sprachmodell, das lesen lernt, während du zuschaust. Nichts hier ist ein Schaubild: Jedes Licht und jede Zahl wird beim Training gemessen.",
    ],
    [
      "Ist der Text echt?",
      "Der von Lamptown nicht: Wir haben ihn erzeugt und Arten von Wörtern und Beziehungen darin angelegt, damit man prüfen kann, was das Modell findet. Es bekommt nur den Text. Was es dort findet, hat es wiedergefunden; in einem anderen Text findet es vielleicht etwas anderes. Ein eigener Text ist, was er ist.",
    ],
    [
      "Was ist ein Licht?",
      "Ein Wort (in manchen Texten ein Stück eines Wortes). Das Modell hat zu jedem Wort eine Liste von Zahlen; die Karte ordnet die Wörter nach diesen Zahlen an.",
    ],
    [
      "Was ist ein Schritt?",
      "Das Modell liest ein paar Sätze, rät jedes nächste Wort und ändert dann seine Zahlen ein wenig, so dass es besser geraten hätte. Das ist ein Schritt. Ein Lauf hat Tausende.",
    ],
    [
      "Was sagt die Helligkeit?",
      "Die Wörter, die leuchten, werden in diesem Schritt gelesen. Je heller ein Wort, desto stärker will dieser Schritt es ändern. Alle anderen Wörter schlafen: Sie warten auf einen Satz, in dem sie vorkommen.",
    ],
    [
      "Was heißt nah?",
      "Das Modell gebraucht diese Wörter ganz ähnlich, also sind auch ihre Zahlen ähnlich. Gruppen mit einem Namen sind Viertel. Zusammengelegt hat sie das Modell, und niemand hat ihm gesagt, welche Wörter zusammengehören. Der Name ist von uns: der der angelegten Art, von der die meisten Wörter sind, oder sonst ein paar der eigenen Wörter. Im Labor unter Viertel kannst du alle nach ihren eigenen Wörtern nennen.",
    ],
    [
      "Wo irrt die Karte?",
      "Der Raum des Modells hat Dutzende Richtungen und dein Bildschirm zwei, darum liegen manche Wörter neben Fremden. Sieh dir die Nachbarn eines Wortes in seiner Liste an: Sie sind im ganzen Raum gemessen. Rechts und links, oben und unten bedeuten nichts.",
    ],
    [
      "Was ist Überraschung?",
      "Wie schlecht das Modell im Mittel geraten hat. Niedriger ist besser. Am Anfang ist jedes Wort gleich wahrscheinlich; je mehr es lernt, zwischen desto weniger Wörtern schwankt es.",
    ],
  ],
  introduction: "Die Einführung noch einmal zeigen",
  course: "Zum Kurs",
  language: "Sprache",
  languageMore:
    "Die Seite lädt neu und kehrt zu dieser Ansicht zurück. Die Texte, die das Modell liest, bleiben Englisch.",
  keys: "Tasten",
  gestures: "Mit den Fingern",
  touches: [
    ["Licht antippen", "das Wort und seine Nachbarn sehen"],
    ["Namen antippen", "dieses Viertel sehen"],
    ["Ziehen", "die Karte verschieben"],
    ["Zwei Finger", "näher, weiter weg"],
    ["Zweimal tippen", "wieder die ganze Karte"],
    ["Auf der Zeitleiste ziehen", "durch die Schritte vor und zurück"],
  ],
  or: "oder",
  key: (label) => label.replace("space", "Leertaste").replace("Shift", "Umschalt"),
  letters: "Einzelne Tasten sind Kürzel",
  lettersMore:
    "Schalte das aus, wenn du diktierst oder Tasten aus Versehen drückst. Esc gilt weiter.",
  spoken: "Dem Screenreader sagen, was passiert",
  spokenMore:
    "Ein, zwei Sätze, höchstens alle zwölf Sekunden. Sonst nur, wenn das Training endet oder die Verbindung abreißt.",
  endings: "Erzählen, wie ein Lauf ausging",
  endingsMore: "Was er gelernt hat und was du dann tun kannst: einmal je Lauf, über der Karte.",
  does: {
    focusSearch: "ein Wort, ein Viertel, eine Ansicht oder einen Befehl finden",
    togglePicture: "die Ansicht anhalten und weiterlaufen lassen",
    stepBack: "einen Schritt zurück (angehalten, in der Vergangenheit oder nach dem Ende)",
    stepForward: "einen Schritt vor, in zwei Takten: erst das Lesen, dann die Bewegung",
    jumpBack: "zehn Schritte zurück",
    jumpForward: "zehn Schritte vor",
    goToFirstStep: "vor den ersten Schritt",
    goToNewestStep: "zum neuesten Schritt",
    dismiss: "schließen, loslassen",
    toggleShortcuts: "diese Hilfe",
  },
};
