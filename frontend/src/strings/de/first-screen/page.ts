/** German texts of the whole page: its name, its header figures, its notices. */

import { whole } from "../../shares";
import { count } from "../../numbers";
import type { page as english } from "../../first-screen/page";
import type { Translated } from "../../translation";

export const page: Translated<typeof english> = {
  product: "Lamplighter",
  map: "Karte des Wortschatzes. Ziehen verschiebt, Scrollen vergrößert, ein Klick auf ein Licht zeigt sein Wort.",
  step: "Schritt",
  ofSteps: (steps) => `von ${count(steps)}`,
  ownStep: (number) =>
    number === null
      ? "eines Trainings, dessen Nummern nicht bekannt sind"
      : `(${count(number)} in seinem Training)`,
  reading: "Wörter",
  readingOf: (all) => `von ${count(all)} in diesem Schritt`,
  readingMore: (all) =>
    `Die Wörter, die das Modell in diesem Schritt liest, leuchten auf, von den ${count(all)}, die es kennt. In Zahlen: die Zeilen seiner Embedding-Matrix, die im Batch sind.`,
  surprise: "Überraschung",
  lowerIsBetter: "niedriger ist besser",
  surpriseMore: (loss) =>
    `Wie überrascht das Modell im Mittel vom nächsten Wort ist (Kreuzentropie-Verlust, in Nats je Wort).${Number.isFinite(loss) ? ` Als schwankte es zwischen etwa ${count(Math.max(1, Math.round(Math.exp(loss))))} gleich wahrscheinlichen Wörtern.` : ""}`,
  loss: "Verlust",
  lossWithUnit: "Überraschung (Verlust, Nats je Wort)",
  asleep: (words) => `· ${count(words)} schlafen`,
  outside: (words) => `· ${count(words)} nicht in diesem Schritt`,
  drifting: (words) => `· ${count(words)} bewegt, aber nicht gelesen`,
  disk: {
    all: "",
    paused:
      "Die Platte ist fast voll: Schnappschüsse pausieren, Verlust und leuchtende Zeilen werden weiter gespeichert. Schaff Platz, dann geht es weiter.",
    keyframes:
      "Der Platz für diesen Lauf ist fast verbraucht: Ab hier werden nur noch ganze Matrizen gespeichert.",
    none: "Der Platz für diesen Lauf ist verbraucht: Es werden keine Schnappschüsse mehr gespeichert.",
  },
  ever: (rows, all) =>
    `${count(rows)} von ${count(all)} (${whole(rows / Math.max(1, all))}) haben schon einmal geleuchtet`,

  phase: {
    waiting: "wartet auf den Start",
    preparing: "liest den Text ein",
    running: "trainiert",
    paused: "Training angehalten",
    finished: "fertig",
    interrupted: "beendet",
    failed: "fehlgeschlagen",
  },
  continues: "Training läuft weiter",
  gone: "niemand trainiert",
  held: "gleich geht es los",
  crowded: "wartet auf Platz auf der Platte",
  link: {
    connecting: "verbindet",
    open: "live",
    over: "verbunden",
    replay: "Wiedergabe",
    past: "Ansicht angehalten",
    waiting: "Verbindung weg, neuer Versuch läuft",
    refused: "nicht verfügbar",
  },
  tryNow: "Jetzt versuchen",

  lazy: {
    loading: "Dieser Teil der Seite lädt",
    failed:
      "Dieser Teil der Seite wurde nicht geladen. Hilft ein neuer Versuch nicht, dann lade die Seite neu.",
    again: "Noch einmal",
    replaced:
      "Lamplighter wurde aktualisiert, nachdem du diese Seite geöffnet hast. Lade sie neu: Die Ansicht bleibt.",
    reload: "Neu laden",
  },

  newRun: {
    started: "Ein neuer Lauf hat begonnen.",
    open: "Hingehen",
    dismiss: "Hier bleiben",
  },
  notice: {
    noRuns: "Noch keine Stadt",
    newRun: "Neuer Lauf",
    noRunsMore: "Starte einen Lauf und sieh zu, wie er seine Viertel findet.",
    noRunsViewer: "Wenn ein Lauf gestartet wird, erscheint er hier von selbst.",
    loading: "Die Stadt wird geholt",
    waiting: "Es startet …",
    waitingMore: "Es beginnt von selbst, sobald dieser Computer Zeit dafür hat.",
    preparing: "Der Text wird eingelesen",
    preparingMore: "Gleich gehen die Lichter an.",
    recomputing: (step) => `Schritt ${step} wird nachgerechnet`,
    failed: "Dieser Lauf ist fehlgeschlagen",
    refused: "Dieser Lauf kann nicht gezeigt werden",
    others: "Die Läufe zeigen",
    crowded: "Kein Platz auf der Platte",
    gone: "Das Training ist abgebrochen",
    unplaced: "Die Wörter bekommen ihren Platz …",
    held: "Jedes Licht ist ein Wort. Gleich liest ein kleines Sprachmodell zum ersten Mal.",
    begin: "Jetzt anfangen",
    noServer: "Die Verbindung ist weg und wird neu aufgebaut.",
    noServerMore: "Diese Seite lädt, sobald der Server antwortet.",
  },

  warning: {
    unreachable: "Die Seite zeigt weiter den letzten Schritt, der ankam.",
    crowded:
      "Die Platte ist voll, und das Training wartet. Schaff Platz, dann geht es von selbst weiter: Kein Schritt geht verloren.",
    superseded:
      "Das Training ist zu einem früheren Schritt zurückgegangen. Ist es wieder hier, erscheint der neue Schritt.",
    ahead: "So weit ist das Training noch nicht. Der Schritt erscheint hier, wenn es da ist.",
    ended: (step) => `Dieser Lauf endete bei Schritt ${count(step)}.`,
    gone: "Das Training ist abgebrochen. Wo Lamplighter sich um diesen Lauf kümmert, geht es vom letzten Speicherstand von selbst weiter: Kein Schritt geht verloren.",
  },

  noWebgl:
    "Dieser Browser hat kein WebGL2 und kann die Karte nicht zeichnen. Alles außer ihr, Bildern und Filmen geht.",
  dark: "Die Grafikkarte ist anderswo beschäftigt. Die Lichter kommen von selbst zurück; nichts geht verloren.",
  home: "Die ganze Stadt zeigen",
  lasso: "Wörter umkreisen (g; Umschalt nimmt hinzu, Alt nimmt weg)",

  panels: {
    token: "Wort",
    district: "Viertel",
    step: "Schritt",
    matrix: "Matrix",
    run: "Über diesen Lauf",
    gathered: "Auswahl",
    ask: "Frag das Modell",
    game: "Was passt nicht dazu?",
    geometry: "Geometrie der Wörter",
    difference: "Was verschieden ist",
    microscope: "Unter dem Mikroskop",
    claims: "Stimmt das?",
    seeds: "Käme es wieder so?",
    map: "Viertel",
    measures: "Maße",
    experiments: "Experimente",
    cost: "Kosten",
    export: "Dateien",
    class: "Klasse",
    runs: "Läufe",
  },
  pictures: "Bilder",
  inspector: "Fenster",
  openRuns: "Alle Läufe: einen anderen öffnen oder einen starten",
  openShortcuts: "Was ist das? Hilfe und Tasten (?)",
  closeInspector: "Schließen",
  help: "Hilfe",
  menu: "Menü",
  menuMore: "Ansicht, Teilen und Hilfe",

  levels: {
    label: "Wie viel zu sehen ist",
    name: { watch: "Zusehen", explore: "Erkunden", lab: "Labor" },
    more: {
      watch: "Nur die Karte",
      explore: "Ein Wort, ein Viertel oder eine Auswahl näher ansehen",
      lab: "Alle Zahlen: der Schritt, die Matrix, Maße, Dateien",
    },
    lab: "Labor",
  },
  viewMenu: {
    name: "Ansicht",
    legend: "Legende",
    beats: "Zeigt einen Schritt",
    beatsMore:
      "Wie oft die Karte einen Schritt zeigt, während das Modell trainiert. Jeder ist ein echter Schritt; die dazwischen werden gezählt.",
    beatsRate: (interval) =>
      interval <= 340 ? "3-mal je Sekunde" : interval < 1_000 ? "alle 0,7 s" : "alle 2 s",
    theme: "Licht",
    themeMore: "Nacht für dunkle Räume, Dämmerung für helle",
    themes: { night: "Nacht", dusk: "Dämmerung", system: "Wie das System" },
    enlarged: "Große Schrift, für die letzte Reihe",
    enlargedMore: "Schrift, Namen und Kontrast werden auf diesem Bildschirm größer",
  },
  share: {
    name: "Teilen",
    link: "Den Link zu dieser Ansicht kopieren",
    address: "Link zu dieser Ansicht",
    linkMore: "Er öffnet genau das, was du siehst, wo dieser Server erreichbar ist.",
    copied: "Kopiert.",
    notCopied: "Dein Browser lässt die Seite nicht kopieren: Drück Strg+C (oder Cmd+C).",
    picture: "Ein Bild speichern",
    files: "Film, Seite zum Verschicken, Dateien …",
    pictures: "Bilder und Filme …",
    fileMore:
      "Diese Seite ist eine Datei. Schick sie, wem du willst: Sie öffnet sich im Browser, ohne Netz.",
    class: "Eine Klasse beitreten lassen …",
  },
  readingLine: {
    label:
      "Text dieses Schritts, und was das Modell sagt. Die Pfeiltasten gehen durch die Wörter, Enter wählt eines",
    more: "Das Modell liest das gerade. Jedes Wort ist so hell wie sein Licht auf der Karte.",
    lead: "Es liest:",
    noText: "Der Text dieses Laufs ist nicht gespeichert.",
    withheld: "Wer vorführt, hat den Text dieses Laufs nicht freigegeben.",
    wordsOnly:
      "Die Wörter dieses Schritts sind aufgezeichnet, aber nicht ihre Reihenfolge, also kein Text.",
    noWords: "Was dieser Schritt gelesen hat, ist nicht aufgezeichnet.",
  },
  sheet: {
    raise: "Ganz zeigen",
    lower: "Weniger davon zeigen",
  },
  tools: "Werkzeuge der Karte",
  zoomIn: "Näher (+)",
  zoomOut: "Weiter weg (−)",

  search: {
    label: "Ein Wort, einen Ort oder einen Befehl finden",
    hint: "Wort oder Befehl finden",
    none: (text) => `„${text}“ steht nicht in diesem Text.`,
    failed: "Die Suche hat nicht geklappt.",
  },
};
