/** German texts of failures. */

import { printableToken } from "../../api/vocabulary";
import type { failures as english, reasons as englishReasons, ToldByServer } from "../failures";
import { count, decimal } from "../numbers";
import type { Translated } from "../translation";

type Values = Readonly<Record<string, number | string>>;
const number = (value: number | string | undefined) => count(Number(value ?? 0));
const words = (value: number | string | undefined) => printableToken(String(value ?? ""));

const budget = (megabytes: number | string | undefined) =>
  `Der Speicherplatz von ${number(megabytes)} MB ist fast verbraucht`;

/** What the English page says in the server's words. */
const TOLD_BY_SERVER: Record<ToldByServer, string | ((values: Values) => string)> = {
  out_of_range: ({ most }) => `So viele hat dieser Lauf nicht: Es geht von 0 bis ${number(most)}.`,
  step_not_finite: ({ step }) =>
    `Bei Schritt ${number(step)} sind nicht mehr alle Zahlen endlich: Sieh dir einen davor an.`,
  sentence_too_long: "Der Satz ist zu lang: Nimm einen kürzeren.",
  rows_too_long: ({ numbers, most }) =>
    `Zeilen aus ${number(numbers)} Zahlen sind zu lang zum Drehen: Es gehen höchstens ${number(most)}.`,
  no_row_named: "Sag, wessen Zeile ersetzt wird, oder nimm keine Zeile eines Wortes.",
  nothing_to_replace:
    "Der Text dieses Laufs ist zu kurz oder hat zu wenige Wörter, um eines durch ein anderes zu ersetzen.",
  matrix_not_kept: ({ step }) =>
    `Die Matrix von Schritt ${number(step)} ist nicht gespeichert: Nimm einen anderen Schritt.`,
  batch_of_one: "Ein Batch aus einer einzigen Sequenz lässt sich nicht auf zwei Geräte teilen.",
  model_too_large: ({ parameters, most }) =>
    `Ein Modell mit ${number(parameters)} Parametern ist zu groß zum Kopieren: Es gehen höchstens ${number(most)}.`,
  no_shared_step: "Auf diesem Computer können sich zwei Prozesse keinen Schritt teilen.",
  no_common_step:
    "Von diesen beiden Läufen ist kein gemeinsamer Schritt gespeichert: Es lässt sich nichts vergleichen.",
  no_common_words:
    "Diese beiden Läufe haben keine drei Wörter gemeinsam: Ihre Wörter lassen sich nicht vergleichen.",
  too_large_to_compare:
    "Einer der beiden Läufe ist zu groß, um hier verglichen zu werden: Öffne ihn mit lamplighter.open in Python.",
  processes_failed:
    "Die beiden Prozesse sind nicht fertig geworden: Versuch es noch einmal, wenn der Computer weniger zu tun hat.",
  answer_not_finite:
    "Eine Zahl der Antwort ist nicht endlich: Dieses Modell lässt sich nicht mehr lesen.",
  answer_too_large: "Die Antwort wäre zu groß zum Speichern: Frag nach weniger.",
  too_little_memory: "Für die Antwort reicht der Speicher dieses Computers nicht.",
  tried_too_often: ({ tries }) =>
    `Das Programm, das antwortet, wurde dabei ${number(tries)}-mal beendet: Es versucht es nicht noch einmal.`,
  no_room_for_answer:
    "Auf der Platte ist kein Platz für die Antwort: Schaff Platz, und frag noch einmal.",
  run_unreadable: "Dieser Lauf lässt sich nicht lesen.",
  too_many_runs: ({ most }) =>
    `Hier trainieren höchstens ${number(most)} Läufe auf einmal: Beende einen, oder warte, bis einer zu Ende ist.`,
  no_snapshot_since:
    "Seit der Frage wurde noch kein Schnappschuss gespeichert: Lass noch ein wenig trainieren.",
  class_not_listening:
    "Die Klasse lässt sich nicht öffnen: Vielleicht ist ihr Port belegt, oder ein anderes Lamplighter hat schon eine Klasse.",
  already_continuing: "Dieser Lauf soll schon weitergehen: Das Training beginnt gleich.",
  store_silent:
    "Der Ort, an dem dieser Lauf liegt, antwortet nicht oder zu langsam: Versuch es gleich noch einmal.",
  run_is_published:
    "Dieser Lauf ist veröffentlicht und wird dort gelesen, wo er liegt: Hier kann er nicht gefragt, geändert, fortgesetzt oder exportiert werden. Mit „lamplighter import“ kommt er auf diesen Rechner, dort geht es.",
  run_is_over: "Dieser Lauf ist zu Ende: Er kann nur fortgesetzt werden.",
  run_is_not_over: "Nur ein Lauf, der zu Ende ist, kann fortgesetzt werden.",
  takes_no_requests:
    "Dieser Lauf wird aus einer anderen Trainingsschleife aufgezeichnet, die sich von hier nicht steuern lässt.",
  server_stopping: "Der Server wird gerade beendet: Versuch es wieder, wenn er zurück ist.",
  too_many_exports: ({ most }) =>
    `${number(most)} Exporte werden gerade erstellt: Brich einen ab, oder warte, bis einer fertig ist.`,
  export_gone: "Der Export ist nicht mehr auf dem Server: Erstell ihn noch einmal.",
  laid_out_already: "Es wird schon eine Karte neu gezeichnet: Brich das ab, oder warte darauf.",
  run_ends_before: ({ end, step }) =>
    `Dieser Lauf endet bei Schritt ${number(end)}, vor Schritt ${number(step)}: Frag nach weniger Schritten.`,
  nothing_left_to_predict:
    "Dieser Lauf ist zu Ende, es gibt also nichts mehr vorherzusagen: Setz ihn zuerst fort.",
  fields_refused: "So geht es nicht: Prüf, was du eingegeben hast.",
  // Was gerade getan wird.
  opening_model: "Das Modell wird geladen",
  recomputing_step: ({ step }) => `Schritt ${number(step)} wird neu berechnet`,
  joining_batches: ({ tokens }) => `Batches aus ${number(tokens)} Tokens werden gebildet`,
  trying_rule: ({ step, steps, rule }) =>
    `Schritt ${number(step)} von ${number(steps)} mit ${rule}`,
  large_matrix: ({ rows }) => `Schritte mit einer Matrix aus ${number(rows)} Zeilen`,
  step_after: ({ step, steps, place }) =>
    `Schritt ${number(step)} von ${number(steps)} nach Schritt ${number(place)}`,
  trying_rate: ({ optimiser, rate, step }) =>
    `Training mit ${optimiser} und Lerntempo ${decimal(Number(rate))}, Schritt ${number(step)}`,
  reading_groups: "Häufige und seltene Wörter werden gelesen",
  one_process: "Der Schritt wird in einem Prozess berechnet",
  two_processes: "Zwei Prozesse teilen sich den Schritt",
  training_elsewhere: ({ step }) => `Training in einer anderen Stadt, Schritt ${number(step)}`,
  training_at_home: ({ step }) => `Training in der eigenen Stadt, Schritt ${number(step)}`,
  taking_step: "Der Schritt wird noch einmal getan",
  reading_before_after: "Vorher und nachher werden gelesen",
  recomputing_number: "Eine Zahl wird nachgerechnet",
  reading_words: ({ step }) => `Die Wörter bei Schritt ${number(step)} werden gelesen`,
  reading_attention: ({ step }) => `Die Attention von Schritt ${number(step)} wird gelesen`,
  turning_space: "Der Raum wird gedreht",
  comparing_neighbours: "Nachbarn werden verglichen",
  comparing_classes: "Wortarten werden verglichen",
  asking_model: "Das Modell wird gefragt",
  speaking: "Das Modell spricht",
  choosing_words: "Wörter werden ausgesucht",
  reading_replaced: "Sätze mit einem ersetzten Wort werden gelesen",
  replacing_matrix: "Die Matrix wird ersetzt",
  replacing_row: "Die Zeile wird ersetzt",
  measuring_loss: "Der Loss wird gemessen",
  training_sentence: ({ step }) => `Training mit dem Satz, Schritt ${number(step)}`,
  training_own_text: ({ step }) => `Training mit dem eigenen Text, Schritt ${number(step)}`,
  // Was in einem Lauf geschehen ist.
  recorded_loop: "Aus einer anderen Trainingsschleife aufgezeichnet.",
  stopped: ({ step }) => `Bei Schritt ${number(step)} beendet; es lässt sich fortsetzen.`,
  steps_done: ({ steps }) => `Alle ${number(steps)} Schritte sind getan.`,
  steps_recorded: ({ steps }) => `Alle ${number(steps)} Schritte sind aufgezeichnet.`,
  steps_recorded_again: ({ steps }) =>
    `Alle ${number(steps)} Schritte sind aufgezeichnet; danach begann eine neue Aufzeichnung dieser Matrix.`,
  steps_recorded_freed: ({ steps }) =>
    `Alle ${number(steps)} Schritte sind aufgezeichnet; danach wurde das Modell freigegeben (eine Kopie davon wird nur aufgezeichnet, wenn du sie selbst beobachtest).`,
  no_step_recorded: ({ why }) => `Kein Schritt wurde aufgezeichnet: ${words(why)}`,
  loop_stopped: ({ step, error }) =>
    `Die Trainingsschleife endete nach Schritt ${number(step)}: ${words(error)}`,
  not_recorded_after: ({ step, error }) =>
    `Nach Schritt ${number(step)} ist nichts mehr aufgezeichnet: ${words(error)}`,
  rate_changed: ({ rate, step }) =>
    `Ab Schritt ${number(step)} ist das Lerntempo ${decimal(Number(rate))}.`,
  attempt_continues: ({ attempt, step, rate }) =>
    `Versuch ${number(attempt)} beginnt nach Schritt ${number(step)} mit Lerntempo ${decimal(Number(rate))}; was danach im alten stand, gilt nicht mehr.`,
  loop_resumed: ({ attempt, step }) =>
    `Versuch ${number(attempt)} geht nach Schritt ${number(step)} weiter, Bit für Bit mit der aufgezeichneten Matrix; was danach im alten stand, gilt nicht mehr.`,
  loop_resumed_changed: ({ attempt, step, rows, distance }) =>
    `Versuch ${number(attempt)} geht nach Schritt ${number(step)} mit einer anderen Matrix weiter als der aufgezeichneten: ${number(rows)} Zeilen weichen ab, um höchstens ${decimal(Number(distance))}. Was danach im alten stand, gilt nicht mehr.`,
  loop_resumed_unknown: ({ attempt, step }) =>
    `Versuch ${number(attempt)} geht nach Schritt ${number(step)} weiter; die Matrix dieses Schritts ist nicht aufgezeichnet und wird deshalb nicht verglichen. Was danach im alten stand, gilt nicht mehr.`,
  attempt_differs: ({ attempt, step }) =>
    `Schritt ${number(step)} ergab beim Nachrechnen andere Zahlen. Hier beginnt Versuch ${number(attempt)}; was danach im alten stand, gilt nicht mehr.`,
  attempt_lost: ({ attempt, step }) =>
    `Schritte nach ${number(step)} sind verloren gegangen, etwa durch einen Stromausfall: Hier beginnt Versuch ${number(attempt)}.`,
  fragments_missing: ({ step }) =>
    `Was auf Schritt ${number(step)} folgt, ist von der trainierenden Maschine noch nicht angekommen; es wird gezeigt, sobald es da ist.`,
  checkpoint_written: ({ step }) =>
    `Der Speicherstand von Schritt ${number(step)} ist geschrieben.`,
  checkpoint_failed:
    "Ein Speicherstand ließ sich nicht schreiben. Frühere bleiben, und es wird noch einmal versucht.",
  checkpoint_replaced: "Ein Speicherstand ließ sich nicht lesen: Ein anderer wird genommen.",
  waypoint_failed: ({ step }) =>
    `Der Zustand des Modells bei Schritt ${number(step)} ließ sich nicht speichern; das Training geht weiter.`,
  disk_paused:
    "Die Festplatte ist fast voll: Schnappschüsse pausieren und gehen von selbst weiter, sobald Platz ist.",
  disk_room: "Auf der Festplatte ist wieder Platz: Ab hier gibt es wieder Schnappschüsse.",
  disk_waited: ({ seconds }) =>
    `Das Training hat ${number(seconds)} s auf Platz auf der Festplatte gewartet.`,
  budget_keyframes: ({ megabytes }) => `${budget(megabytes)}: Ab hier bleiben nur ganze Matrizen.`,
  budget_series: ({ megabytes }) =>
    `${budget(megabytes)}: Ab hier ersetzt jede neue Matrix eine alte.`,
  budget_none: ({ megabytes }) =>
    `${budget(megabytes)}: Ab hier gibt es keine Schnappschüsse mehr.`,
  budget_scalars: ({ megabytes }) =>
    `${budget(megabytes)}: Ab hier bleiben von jedem Schritt nur Loss und Batch (disk_budget oder every= ändert das).`,
  dense_steps: ({ step, every }) =>
    `In Schritt ${number(step)} haben sich mehr als die Hälfte der Zeilen bewegt: Danach bleibt die Matrix nur alle ${number(every)} Schritte (keyframe_every=1 behält jede).`,
  fork_differs: ({ step }) =>
    `Schritt ${number(step)} des Laufs davor ergibt hier nachgerechnet andere Zahlen: Mit denen beginnt dieser.`,
  fork_optimiser: ({ optimiser, before }) =>
    `Der Optimierer ${optimiser} beginnt neu, ohne was ${before} gesammelt hatte.`,
  fork_unknown_words: ({ percent }) =>
    `${decimal(Number(percent))} % der Wörter des Textes sind nicht im Wortschatz: Sie werden als <unk> gelesen.`,
  fork_new_words: ({ words: added }) =>
    `${number(added)} Wörter beginnen mit neuen Zeilen, zufällig gezogen wie die anderen.`,
  loss_named: ({ name }) =>
    `Als Loss gilt ${words(name)}. Stimmt das nicht, dann melde ihn mit log(loss=...).`,
  gradients_as_used:
    "Gradienten so, wie der Optimierer sie benutzt hat: unskaliert, und begrenzt, wenn die Schleife begrenzt.",
  gradients_before_clipping: "Gradienten so, wie sie berechnet wurden, vor jedem Begrenzen.",
  gradient_is_late:
    "Der Gradient hat andere Zeilen als die IDs, nämlich die des vorigen Schritts: Gib jedem Schritt die IDs, aus denen er berechnet wurde.",
  gradient_of_other_ids:
    "Der Gradient hat andere Zeilen als die IDs: Gib IDs und Gradient desselben Schritts.",
  gradient_of_unmoved:
    "Keine Zeile mit Gradient hat sich bewegt, aber andere: Gib den Gradienten dieses Schritts, bevor er gelöscht wird.",
  moved_is_late:
    "Bewegt haben sich die Zeilen des vorigen Schritts: Gib jedem Schritt die IDs, aus denen er berechnet wurde.",
  // Warum ein Lauf nicht weitergeht.
  loss_not_finite: ({ step }) =>
    `In Schritt ${number(step)} ist der Loss oder ein Gradient keine endliche Zahl mehr. Alle Schritte davor sind gespeichert. Setz den Lauf mit einem kleineren Lerntempo fort.`,
  training_no_memory:
    "Das Training braucht mehr Speicher, als es hier gibt: Beginne einen Lauf mit kleinerem Modell, kürzerem Kontext oder kleineren Batches.",
  start_lost: "Der Zustand, mit dem dieser Lauf beginnen soll, ist weg: Erstell ihn noch einmal.",
  // Warum es eine Karte oder eine Datei nicht gibt.
  output_tied: "In diesem Modell tut eine Matrix beides, also sind beide Karten gleich.",
  output_not_recorded:
    "Von diesem Lauf sind die Wörter nur als Kontext gespeichert, also gibt es keine zweite Karte.",
  output_not_kept:
    "Kein Zustand des Modells ist gespeichert, also ist nur seine Eingabematrix bekannt.",
  output_kept_since: "So früh ist kein Zustand des Modells gespeichert.",
  output_few_states: "Das Modell fängt gerade erst an: Komm in ein paar Schritten wieder.",
  export_not_begun: "Dieser Lauf hat noch nicht begonnen: Es gibt noch nichts zu exportieren.",
  export_unreadable: "Dieser Lauf lässt sich nicht lesen.",
  export_no_step: ({ step, last }) =>
    `Einen Schritt ${number(step)} gibt es nicht: Der letzte ist ${number(last)}.`,
  export_failed: "Die Datei ließ sich nicht erstellen: Versuch es noch einmal.",
  export_no_room: "Für die Datei ist kein Platz: Schaff Platz, und erstell sie noch einmal.",
  no_memory_for_it:
    "Dafür reicht der Speicher nicht: Schließ andere Programme, und versuch es noch einmal.",
  export_killed: "Der Export wurde von außen abgebrochen: Erstell ihn noch einmal.",
  export_ended: "Der Export ist gescheitert: Erstell ihn noch einmal.",
  export_too_large: ({ gigabytes, command }) =>
    `Exporte dürfen hier zusammen ${decimal(Number(gigabytes))} GB groß sein, und dieser ist größer. Nimm: ${words(command)}`,
  export_no_map: ({ run }) =>
    `Dieser Lauf hat noch keine Karte. Nimm: lamplighter project ${words(run)}`,
  page_not_built: "Die Seite ist noch nicht gebaut: Ruf zuerst make page auf.",
  import_no_zip: "Das ist kein Zip: Nimm den Zip eines Laufs, wie Export ihn macht.",
  import_too_large: ({ gigabytes }) =>
    `Der Zip eines Laufs darf höchstens ${decimal(Number(gigabytes))} GB groß sein.`,
  import_under_way:
    "Es wird schon ein Lauf importiert: Brich das ab, oder warte, bis es fertig ist.",
  import_ended: "Der Import ist gescheitert: Versuch es noch einmal.",
  map_not_begun: "Dieser Lauf hat noch nicht begonnen: Es gibt noch keine Karte zu zeichnen.",
  map_not_over: "Dieser Lauf ist noch nicht zu Ende: Zeichne seine Karte danach neu.",
  map_few_steps: "Von diesem Lauf sind weniger als zwei Schritte genau gespeichert.",
  map_not_finite: ({ step }) => `Bei Schritt ${number(step)} sind nicht alle Zahlen endlich.`,
  map_not_saved: "Die Karte ließ sich nicht speichern: Versuch es noch einmal.",
  map_no_room: "Für die Karte ist kein Platz: Schaff Platz, und versuch es noch einmal.",
  map_ended: "Die Karte wurde nicht fertig: Versuch es noch einmal.",
  export_not_started: "Der Export kann nicht beginnen: Sieh nach, ob die Festplatte Platz hat.",
  export_unfinished: "Der Export ist noch nicht fertig: Versuch es später.",
  export_without_file: "Der Export hat keine Datei: Erstell ihn noch einmal.",
  // Was es nicht gibt, oder jetzt nicht geht.
  no_such_run: ({ run }) => `Einen Lauf „${words(run)}“ gibt es hier nicht.`,
  no_such_set: ({ set }) => `Eine Gruppe „${words(set)}“ gibt es hier nicht.`,
  run_moved: "Dieser Lauf wurde gerade in den Papierkorb gelegt.",
  run_is_trained: "Dieser Lauf wird gerade trainiert: Beende zuerst das Training.",
  run_arrives:
    "Dieser Lauf kommt gerade von einem anderen Rechner: Beende dort das Training oder widerrufe sein Token, und warte eine Minute.",
  push_name_taken: ({ run }) =>
    `Ein anderer Lauf heißt dort schon „${words(run)}“: Nimm einen anderen Namen.`,
  run_may_be_trained:
    "Vielleicht wird dieser Lauf gerade trainiert, das lässt sich nicht feststellen: Versuch es noch einmal.",
  set_is_open: "Dieser Ordner ist hier gerade geöffnet: Lösch ihn von Hand.",
  set_is_swept: "Diese Läufe werden gerade trainiert: Beende das zuerst.",
  run_without_steps: "Dieser Lauf hat noch nicht begonnen: Es ist noch nichts aufgezeichnet.",
  run_without_tokens: "Dieser Lauf hat seinen Text noch nicht gelesen: Es gibt noch keine Tokens.",
  run_without_claims:
    "Dieser Lauf hat seinen Text noch nicht gelesen: Es gibt noch nichts zu behaupten.",
  run_without_numbers: "Dieser Lauf hat seinen Text noch nicht gelesen: Es gibt noch keine Zahlen.",
  run_lost_text:
    "Dieser Lauf hat keinen Wortschatz: Sein Text wurde nicht gelesen oder ging verloren.",
  other_user: "Diese Dateien gehören jemand anderem: Der Server darf sie nicht benutzen.",
  folder_read_only:
    "In diesen Ordner lässt sich nichts schreiben: Er gehört jemand anderem oder liegt auf einem schreibgeschützten Dateisystem. Kopiere ihn in einen Ordner, in den du schreiben darfst.",
  attempt_began: "Gerade hat ein neuer Versuch begonnen: Frag noch einmal.",
  no_such_token: ({ token }) => `Ein Token ${words(token)} gibt es in diesem Lauf nicht.`,
  step_not_recorded: ({ step, last }) =>
    `Schritt ${number(step)} ist nicht aufgezeichnet: Der letzte ist ${number(last)}.`,
  not_kept_exactly: ({ step, nearest }) =>
    `Schritt ${number(step)} ist nicht genau gespeichert: Der nächste davor ist ${number(nearest)}.`,
  none_kept_exactly: ({ step }) =>
    `Schritt ${number(step)} ist nicht genau gespeichert, und davor auch keiner.`,
  no_layout: ({ step }) => `Bis Schritt ${number(step)} gibt es noch keine Karte.`,
  no_districts: "Noch sind keine Viertel gefunden.",
  no_such_part: "Diesen Teil hat der Kurs nicht.",
  no_such_session: "Diese Sitzung gibt es nicht mehr.",
  no_process: "Dafür lässt sich kein Prozess starten.",
  set_unreadable: "Die Datei dieser Gruppe lässt sich nicht lesen.",
  set_without_word: ({ word }) => `Kein Lauf dieser Gruppe hat das Wort „${words(word)}“.`,
  set_without_two: "Noch haben nicht zwei Läufe dieser Gruppe dieses Wort.",
  set_not_begun: "Noch hat kein Lauf dieser Gruppe begonnen: Es gibt nichts zu vergleichen.",
  set_without_group: "Solche Einstellungen gibt es hier nicht.",
  fork_unchanged: ({ field, value }) => `${words(field)} ist schon ${words(value)}.`,
  fork_frozen_rate:
    "Eine eingefrorene Matrix hat kein Lerntempo: Ändere entweder ihren Faktor, oder frier sie ein.",
  fork_tied_rate: "Eine gemeinsame Matrix hat nur ein Lerntempo: Ihr Faktor ändert nichts.",
  fork_shuffled_town:
    "Gemischte Wörter haben keine Rollen zu tauschen: Nimm die andere Stadt, oder misch die Wörter.",
  fork_shuffled_other: "Die Sätze der anderen Stadt lassen sich nicht mischen.",
  fork_planted_rows:
    "Schreib drei Wörter in kleinen Buchstaben von a bis z: zwei, und eins, neben dem beide stehen.",
  fork_planted_text: "Wörter lassen sich nur in Lamptown pflanzen, wenn es ganze Wörter liest.",
  fork_without_text: "Zum eigenen Text fehlt der Text, oder er gehört nicht zu dieser Änderung.",
  fork_text_not_kept:
    "Der Text dieses Laufs ist nicht gespeichert: Er lässt sich nicht anders lesen.",
  fork_nothing_kept: "So früh ist kein Zustand dieses Laufs gespeichert.",
  fork_too_far: "Der nächste gespeicherte Zustand ist zu weit weg: Nimm einen anderen Schritt.",
  fork_attempt: "In diesem Lauf hat gerade ein neuer Versuch begonnen: Versuch es noch einmal.",
  class_closed: "Die Tür ist zu: Bitte darum, sie zu öffnen.",
  class_wrong_code: "Das ist nicht der Code: Schau auf die große Anzeige.",
  class_wrong_codes:
    "Zu viele falsche Codes aus diesem Netz: Warte ein wenig, oder scann den QR-Code.",
  class_is_away:
    "Die Server dieser Klasse erreichen einander gerade nicht: Versuche es gleich noch einmal.",
  class_is_full: "Die Klasse ist voll.",
  class_not_started: "Dieser Server hat keine Klasse: Starte ihn mit --classroom.",
  no_such_viewer: "Diesen Zuschauer gibt es nicht: Vielleicht ist seine Sitzung zu Ende.",
  no_question: "Gerade ist keine Frage gestellt.",
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
  other: (sentence, code, values) => {
    // A newer server may have more codes.
    const text = code && (TOLD_BY_SERVER as Partial<typeof TOLD_BY_SERVER>)[code as ToldByServer];
    return typeof text === "function"
      ? text(values ?? {})
      : (text ?? `Der Server meldet auf Englisch: ${sentence}`);
  },
};

export const reasons: Translated<typeof englishReasons> = {
  recorded_elsewhere:
    "Dieser Lauf wurde in einem anderen Programm aufgezeichnet; sein Modell ist nicht hier und lässt sich nicht fragen.",
  sampled_softmax: "Ein Schritt dieses Laufs schätzt seinen Verlust nur (Sampled Softmax).",
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
  nothing_changed: "So ändert sich nichts: Wähl ein anderes Wort oder einen anderen Schritt.",
  too_many_questions: ({ most }) => `${number(most)} Fragen warten schon: Frag später noch einmal.`,
  imported_run_takes: ({ threads, megabytes, layers, width, parameters }) =>
    `Dieser Lauf wurde importiert. Sein Modell braucht hier ${number(megabytes)} MB Speicher und ${number(threads)} Threads: ${number(layers)} Schichten der Breite ${number(width)}, ${number(parameters)} Parameter.`,
  upload_gone: "Der Text ist nicht mehr auf dem Server: Schick ihn noch einmal.",
  text_too_large: ({ most }) =>
    `Der Text ist zu groß: Gelesen werden höchstens ${number(most)} MB.`,
  text_not_plain:
    "Das ist kein reiner Text. Word-Dokumente und PDFs sind nicht lesbar: Speichere ihn als UTF-8-Text.",
  text_empty: ({ needed }) => `Der Text ist leer: ${number(needed)} Wörter sind nötig.`,
  text_too_short: ({ words: given, needed, clear }) =>
    `Der Text hat ${number(given)} Wörter: ${number(needed)} sind nötig, etwa ${number(clear)} für deutliche Viertel.`,
  disk_nearly_full:
    "Die Festplatte ist fast voll, und der Rest ist fürs Training: Schaff zuerst Platz.",
  disk_full:
    "Die Festplatte ist voll: Schaff Platz. Nichts Aufgezeichnetes ist verloren, und das Training geht von selbst weiter.",
  server_busy: "Der Server ist beschäftigt: Versuch es gleich noch einmal.",
};
