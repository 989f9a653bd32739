/** German texts of failures. */

import { printableToken } from "../../api/vocabulary";
import type { failures as english, reasons as englishReasons, ToldByServer } from "../failures";
import { count } from "../numbers";
import type { Translated } from "../translation";

type Values = Readonly<Record<string, number | string>>;
const number = (value: number | string | undefined) => count(Number(value ?? 0));
const words = (value: number | string | undefined) => printableToken(String(value ?? ""));

/** What the English page says in the server's words. */
const TOLD_BY_SERVER: Record<ToldByServer, (values: Values) => string> = {
  out_of_range: ({ most }) => `So viele hat dieser Lauf nicht: Es geht von 0 bis ${number(most)}.`,
  step_not_finite: ({ step }) =>
    `Bei Schritt ${number(step)} sind nicht mehr alle Zahlen endlich: Sieh dir einen davor an.`,
  sentence_too_long: () => "Der Satz ist zu lang: Nimm einen kürzeren.",
  rows_too_long: ({ numbers, most }) =>
    `Zeilen aus ${number(numbers)} Zahlen sind zu lang zum Drehen: Es gehen höchstens ${number(most)}.`,
  nothing_to_replace: () =>
    "Der Text dieses Laufs ist zu kurz oder hat zu wenige Wörter, um eines durch ein anderes zu ersetzen.",
  matrix_not_kept: ({ step }) =>
    `Die Matrix von Schritt ${number(step)} ist nicht gespeichert: Nimm einen anderen Schritt.`,
  batch_of_one: () =>
    "Ein Batch aus einer einzigen Sequenz lässt sich nicht auf zwei Geräte teilen.",
  model_too_large: ({ parameters, most }) =>
    `Ein Modell mit ${number(parameters)} Parametern ist zu groß zum Kopieren: Es gehen höchstens ${number(most)}.`,
  no_shared_step: () => "Auf diesem Computer können sich zwei Prozesse keinen Schritt teilen.",
  no_common_step: () =>
    "Von diesen beiden Läufen ist kein gemeinsamer Schritt gespeichert: Es lässt sich nichts vergleichen.",
  no_common_words: () =>
    "Diese beiden Läufe haben keine drei Wörter gemeinsam: Ihre Wörter lassen sich nicht vergleichen.",
  too_large_to_compare: () =>
    "Einer der beiden Läufe ist zu groß, um hier verglichen zu werden: Öffne ihn mit lamplighter.open in Python.",
  processes_failed: () =>
    "Die beiden Prozesse sind nicht fertig geworden: Versuch es noch einmal, wenn der Computer weniger zu tun hat.",
  answer_not_finite: () =>
    "Eine Zahl der Antwort ist nicht endlich: Dieses Modell lässt sich nicht mehr lesen.",
  answer_too_large: () => "Die Antwort wäre zu groß zum Speichern: Frag nach weniger.",
  too_little_memory: () => "Für die Antwort reicht der Speicher dieses Computers nicht.",
  tried_too_often: ({ tries }) =>
    `Das Programm, das antwortet, wurde dabei ${number(tries)}-mal beendet: Es versucht es nicht noch einmal.`,
  no_room_for_answer: () =>
    "Auf der Platte ist kein Platz für die Antwort: Schaff Platz, und frag noch einmal.",
  run_unreadable: () => "Dieser Lauf lässt sich nicht lesen.",
  too_many_runs: ({ most }) =>
    `Hier trainieren höchstens ${number(most)} Läufe auf einmal: Beende einen, oder warte, bis einer zu Ende ist.`,
  no_snapshot_since: () =>
    "Seit der Frage wurde noch kein Schnappschuss gespeichert: Lass noch ein wenig trainieren.",
  class_not_listening: () =>
    "Die Klasse lässt sich nicht öffnen: Vielleicht ist ihr Port belegt, oder ein anderes Lamplighter hat schon eine Klasse.",
};

export const failures: Translated<typeof english> = {
  notAccepted: "nicht angenommen",
  noMapAt: (step) => `Die Karte von Schritt ${count(step)} ist nicht mehr gespeichert.`,
  noStep: (step) => `Einen Schritt ${count(step)} gibt es nicht.`,
  noWord: (word) => `Das Token „${word}“ gibt es in diesem Wortschatz nicht.`,
  silent: "Der Server antwortet nicht.",
  broken: "Die Antwort ist abgebrochen.",
  noMatrix: "Was ankam, ist keine Matrix.",
  noLayout: "Was ankam, ist keine Karte.",
  noSuchMap: "Eine solche Karte hat dieser Lauf nicht.",
  otherVocabulary: "ein anderer Wortschatz",
  presenterOnly:
    "Das kann nur, wer vorführt. Öffne Lamplighter mit seinem Startlink, um vorzuführen.",
  noToken: "Das Wort im Link gibt es in diesem Wortschatz nicht.",
  other: (known, reason) => {
    // A newer server may have more codes.
    const text =
      known && (TOLD_BY_SERVER as Partial<typeof TOLD_BY_SERVER>)[known.code as ToldByServer];
    return text?.(known!.values) ?? `Der Server meldet auf Englisch: ${reason}`;
  },
};

export const reasons: Translated<typeof englishReasons> = {
  recorded_elsewhere:
    "Dieser Lauf wurde aus einer anderen Trainingsschleife aufgezeichnet: Sein Modell ist nicht hier und kann nicht gefragt werden.",
  run_not_begun: "Dieser Lauf hat noch nicht begonnen, es gibt also noch kein Modell zum Fragen.",
  step_not_reached: ({ step, newest }) =>
    `Schritt ${number(step)} ist noch nicht erreicht: Dieser Lauf ist bei Schritt ${number(newest)}.`,
  question_too_long:
    "Das würde zu lange dauern: Frag nach weniger, oder frag einen kleineren Lauf.",
  unknown_words: ({ words: unknown, similar }) =>
    `„${words(unknown)}“ hat das Modell nie gelesen: Nimm Wörter aus seinem Text${similar ? `, etwa „${words(similar)}“` : ""}.`,
  no_words: "Schreib mindestens ein Wort.",
  too_many_words: ({ words: given, most }) =>
    `${number(given)} Wörter sind zu viele: Das Modell liest höchstens ${number(most)}.`,
  too_few_words: ({ fewest }) => `Schreib mindestens ${number(fewest)} Wörter.`,
  one_word_wanted: ({ word }) => `„${words(word)}“ ist hier mehr als ein Wort.`,
  nothing_changed: "Es würde sich nichts ändern: Wähl ein anderes Wort oder einen anderen Schritt.",
  too_many_questions: ({ most }) => `${number(most)} Fragen warten schon: Frag später noch einmal.`,
  imported_run_takes: ({ threads, megabytes, layers, width, parameters }) =>
    `Dieser Lauf wurde importiert. Sein Modell braucht hier ${number(megabytes)} MB Speicher und ${number(threads)} Threads: ${number(layers)} Schichten der Breite ${number(width)}, ${number(parameters)} Parameter.`,
  takes_no_requests:
    "Dieser Lauf wird aus einer anderen Trainingsschleife aufgezeichnet, die sich von hier nicht steuern lässt.",
  already_continuing: "Dieser Lauf soll schon weitergehen: Das Training beginnt gleich.",
  run_is_over: "Dieser Lauf ist zu Ende: Er kann nur fortgesetzt werden.",
  run_is_not_over: "Nur ein Lauf, der zu Ende ist, kann fortgesetzt werden.",
  upload_gone: "Der Text ist nicht mehr auf dem Server: Schick ihn noch einmal.",
  text_too_large: ({ most }) =>
    `Der Text ist zu groß: Gelesen werden höchstens ${number(most)} MB.`,
  text_not_plain:
    "Das ist kein reiner Text. Word-Dokumente und PDFs sind nicht lesbar: Speichere ihn als UTF-8-Text.",
  text_empty: ({ needed }) => `Der Text ist leer: ${number(needed)} Wörter sind nötig.`,
  text_too_short: ({ words: given, needed, clear }) =>
    `Der Text hat ${number(given)} Wörter: ${number(needed)} sind nötig, etwa ${number(clear)} für deutliche Viertel.`,
  server_stopping: "Der Server wird gerade beendet: Versuch es wieder, wenn er zurück ist.",
  too_many_exports: ({ most }) =>
    `${number(most)} Exporte werden gerade erstellt: Brich einen ab, oder warte, bis einer fertig ist.`,
  disk_nearly_full:
    "Die Festplatte ist fast voll, und der Rest ist fürs Training: Schaff zuerst Platz.",
  disk_full:
    "Die Festplatte ist voll: Schaff Platz. Nichts Aufgezeichnetes ist verloren, und das Training geht von selbst weiter.",
  export_gone: "Der Export ist nicht mehr auf dem Server: Erstell ihn noch einmal.",
  laid_out_already: "Es wird schon eine Karte neu gezeichnet: Brich das ab, oder warte darauf.",
  nothing_left_to_predict:
    "Dieser Lauf ist zu Ende, es gibt also nichts mehr vorherzusagen: Setz ihn zuerst fort.",
  run_ends_before: ({ end, step }) =>
    `Dieser Lauf endet bei Schritt ${number(end)}, vor Schritt ${number(step)}: Frag nach weniger Schritten.`,
  server_busy: "Der Server ist beschäftigt: Versuch es gleich noch einmal.",
};
