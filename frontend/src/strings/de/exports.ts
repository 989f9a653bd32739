/** German texts of the export panel. */

import type { exports as english } from "../exports";
import { count } from "../numbers";
import type { Translated } from "../translation";

export const exports: Translated<typeof english> = {
  exportPanel: {
    files: "Der Lauf als Datei",
    about:
      "Alles, was gespeichert wurde: für andere Leute, andere Programme oder eine Klasse ohne Netz.",
    viewer:
      "Exportieren kann nur, wer vorführt (öffne Lamplighter mit seinem Startlink). Was gemacht ist, kann man hier herunterladen.",
    notBegun: "Noch gibt es nichts zu exportieren: Dieser Lauf trainiert noch nicht.",
    none: "Noch nichts gemacht. Was gemacht ist, bleibt hier, bis der Server endet.",
    whole: "Der ganze Lauf",
    one: "Ein Schritt",
    step: "Schritt",
    newest: "der neueste",
    stepMore: "Leer: der neueste Schritt, der genau gespeichert ist",
    make: "Machen",
    underWay: "Läuft schon",
    cancel: "Abbrechen",
    discard: "Verwerfen",
    download: "Herunterladen",
    atStep: (step) => `Schritt ${count(step)}`,
    cancelled: "abgebrochen",
    leftOut: "Weggelassen (auf Englisch):",
    state: {
      running: "wird gemacht",
      done: "ist fertig",
      failed: "ist fehlgeschlagen",
      cancelled: "wurde abgebrochen",
    },
    formats: {
      html: [
        "Seite zum Abspielen",
        "Diese Seite mit dem Lauf darin, als eine Datei: Sie öffnet sich mit einem Doppelklick, ohne Server und ohne Netz.",
      ],
      zip: [
        "Zip des Laufs",
        "Alles darin, auch der Text, um es woanders anzusehen oder weiterzutrainieren: lamplighter import.",
      ],
      csv: [
        "CSV",
        "Eine Zeile je Schritt: Verluste, Tempo, gelesene Wörter, Gradientennormen, Maße.",
      ],
      parquet: ["Parquet", "Eine Zeile je Wort, für Embedding Atlas und Data Frames."],
      safetensors: ["safetensors", "Das Embedding und die Karte, Bit für Bit."],
      npy: ["npy", "Nur das Embedding, für NumPy."],
    },
  },
};
