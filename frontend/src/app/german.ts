/**
 * The German texts. They speak to a fourteen-year-old ("du"), in the words of German lessons:
 *
 * embedding, batch, token: so; row: Zeile; step: Schritt; run: Lauf; loss: Verlust, in plain words
 * Überraschung; gradient: Gradient; clipping: Kappen; learning rate: Lerntempo; optimiser: Optimierer;
 * momentum: Schwung; fork: Abzweig; attention: Aufmerksamkeit; head: Kopf; layer: Schicht; neighbourhood: Viertel; neighbours:
 * Nachbarn; kind of a word: Art; planted: angelegt; purity: Reinheit; similarity: Ähnlichkeit; claim: Behauptung;
 * presenter: wer vorführt; pause: anhalten; replay: Wiedergabe; saved: gespeichert; held-out text: zurückbehaltener
 * Text; checkpoint: Speicherstand; seed: Startzahl; linear view: lineare Ansicht; light: Licht; panel: Fenster; video:
 * Film; colour key: Legende; random guessing: reines Raten; guess in the course: Tipp; stage of a lesson: Abschnitt.
 */

import * as shared from "../strings/de";
import { translateName } from "../strings/de/names";
import type { Translation } from "../strings/translation";

/** Each feature has tables of its own, under the names of the English ones. */
const FILES = import.meta.glob<Record<string, object>>(
  ["./*.strings.de.ts", "../features/**/*.strings.de.ts"],
  { eager: true },
);

export const translation: Translation = {
  language: "de",
  translateName,
  tables: Object.assign({}, shared, ...Object.values(FILES)) as Record<string, object>,
};
