/** German texts of the run panel. */

import { count, fixed } from "../numbers";
import type { run as english } from "../run";
import type { Translated } from "../translation";

const several = (n: number, one: string, many: string) => `${count(n)} ${n === 1 ? one : many}`;

export const run: Translated<typeof english> = {
  runPanel: {
    recipe: "Rezept",
    text: {
      lamptown: () => "Es liest Lamptown, einen erzeugten Text mit angelegten Arten von Wörtern",
      novels: () => "Es liest zwei Romane, in denen nichts angelegt ist",
      manuals: () => "Es liest die Dokumentation der Python-Pakete auf dem Server",
      modular: () => "Es rechnet auf der Uhr",
      repeats: () => "Es liest Listen zufälliger Wörter, aus denen Stücke wiederkommen",
      text: (name) => `Es liest einen hochgeladenen Text: ${name}`,
      recorded: (name) => `Es wurde anderswo trainiert: ${name}`,
    },
    unnamed: "ohne Namen",
    shuffled: "die Wörter jedes Dokuments in zufälliger Reihenfolge (die Gegenprobe)",
    tokens: (all, kinds) => `${count(all)} Token, ${count(kinds)} verschiedene.`,
    kinds: (kinds) => `${count(kinds)} verschiedene Token.`,
    model: ({ layers, heads, dim, context, tied }) =>
      `Das Modell ist ein Transformer aus ${several(layers, "Block", "Blöcken")} mit je ${several(heads, "Aufmerksamkeitskopf", "Aufmerksamkeitsköpfen")}. Ein Token ist eine Zeile aus ${count(dim)} Zahlen, und es liest ${count(context)} Token auf einmal. ${
        tied
          ? "Lesen und Vorhersagen teilen sich eine Matrix (tied)."
          : "Lesen und Vorhersagen haben je eine eigene Matrix."
      }`,
    batch: (sequences, context, passages) =>
      `Ein Schritt liest ${several(sequences, "Sequenz", "Sequenzen")} von ${count(context)} Token, zusammen ${count(sequences * context)}, von ${several(passages, "Stelle", "Stellen")} des Textes.`,
    optimisers: {
      lazy: "Der Optimierer ist Adam, für das Embedding sparsam (lazy): Es ändert nur Zeilen im Batch.",
      adam: "Der Optimierer ist Adam für alles: Schlafende Zeilen treiben mit Schwung weiter.",
      sgd: "Der Optimierer ist einfacher Gradientenabstieg (SGD): kein Schwung, schlafende Zeilen ruhen.",
    },
    clipped: (norm) => `Gradienten, die länger als ${norm} sind, werden auf diese Länge gekappt.`,
    end: (steps, seed) => `Geplant: ${count(steps)} Schritte, Startzahl (Seed) ${seed}.`,
    where: (device, threads) => `Gerät: ${device}, ${several(threads, "Thread", "Threads")}.`,
    settings: "Einstellungen des Trainings",
    settingsMore: "Wie das Trainingsprogramm sie angegeben hat.",
    settingsLeft: (more) => `Und noch ${count(more)}, über REST.`,
    rates: "Lerntempo",
    rate: "jetzt",
    ratePlanned: "im Rezept",
    rateEmbedding: "des Embeddings",
    rateTimes: (rate, factor) => `${rate} (${factor}-mal)`,
    sizes: "Größen",
    parameters: "Parameter",
    ofThem: (share) => `${share}\u00a0% davon im Embedding`,
    matrix: "Embedding",
    matrixSize: (rows, dim) => `${count(rows)} Zeilen × ${count(dim)} Zahlen`,
    disk: "auf der Platte",
    leftOut: (parts) => `Diese Seite ist eine Datei. Es fehlen: ${parts.join("; ")}.`,
    parts: {
      steps: "Schritte, ganze Matrizen, bewegte Zeilen",
      tiles: "bewegte Zeilen, nach Token",
      map: "Karte und Viertel",
      measures: "Maße",
      checkpoints: "Speicherstände",
      waypoints: "gespeicherte Zustände des Modells",
      corpus: "Text",
      other: "alles andere",
    },
    budget: (most) => `Höchstens ${most}.`,
    speed: "Tempo",
    pace: "Schritte je Sekunde",
    paceMore: (steps) => `über die letzten ${count(steps)} Schritte`,
    tokensASecond: "Token je Sekunde",
    training: "Trainieren, je Schritt",
    observing: "Beobachten und Aufzeichnen, je Schritt",
    milliseconds: (seconds) => `${fixed(1_000 * seconds, seconds < 0.01 ? 2 : 1)} ms`,
    days: (days) => `${days} Tage`,
    noSpeed: "Noch nichts zu messen: Kein Schritt ist aufgezeichnet.",
    work: "Prozesse und Browser",
    roles: {
      trainer: "Trainer",
      projector: "Projektor (Karte)",
      analyst: "Analyst (Maße)",
    },
    holds: "Ein Trainer arbeitet gerade an diesem Lauf.",
    nobody: "Gerade arbeitet kein Trainer an diesem Lauf.",
    time: "Zeit",
    made: "angelegt",
    newest: "neuester Schritt",
    lasted: "vom ersten Versuch bis zum neuesten Schritt",
    lastedMore: "mit Pausen",
    attempts: "Versuche",
    attemptsMore:
      "Ein neuer Versuch beginnt, wo sich ein abgebrochener Lauf nicht Bit für Bit wiederholen ließ: Was ältere von dort an hatten, gilt nicht mehr.",
    attempt: (attempt, first) =>
      `${count(attempt)}: ${first === 0 ? "von Anfang an" : `ab Schritt ${count(first)}`}`,
    onlyOne: "Einer, ohne Unterbrechung.",
    noAttempt: "Noch keiner.",
    again: "Diesen Lauf wiederholen",
    againMore:
      "In einem Terminal; dieselbe Startzahl auf demselben Computer ergibt dieselben Zahlen.",
    againText: "Der Text muss unter diesem Namen da sein.",
    againFile: "Speichere das daneben als recipe.toml:",
    notAgain: "Nur das Programm, das diesen Lauf trainiert hat, kann ihn wiederholen.",
    copy: "Kopieren",
    copied: "Kopiert",
    notCopied: "Dein Browser erlaubt hier kein Kopieren: Markiere stattdessen den Text.",
    none: "Der Lauf wird geladen …",
  },
};
