/**
 * The German texts. They speak to a fourteen-year-old ("du"), in the words of German lessons:
 *
 * embedding, batch, token: so; row: Zeile; step: Schritt; run: Lauf; loss: Verlust, in plain words Überraschung;
 * gradient: Gradient; clipping: Kappen; learning rate: Lerntempo; optimiser: Optimierer; momentum: Schwung;
 * attention: Aufmerksamkeit; head: Kopf; layer: Schicht; district, neighbourhood: Viertel; neighbours: Nachbarn;
 * kind of a word: Art; purity: Reinheit; similarity: Ähnlichkeit; to foretell: ankündigen; claim: Behauptung;
 * presenter: wer vorführt; freeze, pause: anhalten; replay: Wiedergabe; checkpoint: Speicherstand; kept: aufgehoben;
 * seed: Startzahl; map accuracy: Kartentreue; straight view: gerade Ansicht; guess in the course: Tipp.
 */

import type { Translation } from "../strings/translation";
import { announcements } from "../strings/de/announcements";
import { ask } from "../strings/de/ask";
import { look, swap, teach, turn } from "../features/ask/ask-experiments.strings.de";
import {
  batchSize,
  bench,
  otherTown,
  rareWords,
  standIn,
} from "../features/ask/training/ask-training.strings.de";
import { browserSessions } from "../features/runs/browser-sessions.strings.de";
import { caption } from "../features/export/caption.strings.de";
import { claims } from "../features/claims/claims.strings.de";
import { classViewer } from "../features/classroom/class-viewer.strings.de";
import { classroom } from "../features/classroom/classroom.strings.de";
import { compare } from "../strings/de/compare";
import { cost } from "../features/cost/cost.strings.de";
import { events } from "../strings/de/events";
import { exports } from "../strings/de/exports";
import { failures } from "../strings/de/failures";
import { film } from "../features/export/film.strings.de";
import { game } from "../features/games/game.strings.de";
import { geometry } from "../features/geometry/geometry.strings.de";
import { help } from "./help.strings.de";
import { inspector } from "../strings/de/inspector";
import { legend } from "../strings/de/legend";
import { lessonClass } from "../features/lessons/lesson-class.strings.de";
import { lessons } from "../features/lessons/lessons.strings.de";
import { map } from "../strings/de/map";
import { matrix } from "../features/matrix/matrix.strings.de";
import { measures } from "../features/runs/measures.strings.de";
import { microscope } from "../features/microscope/microscope.strings.de";
import { ownText } from "../features/runs/own-text.strings.de";
import { palette } from "../strings/de/palette";
import { page } from "../strings/de/page";
import { picture } from "../strings/de/picture";
import { run } from "../strings/de/run";
import { runForm } from "../features/runs/run-form.strings.de";
import { runs } from "../strings/de/runs";
import { saying } from "../features/step/saying.strings.de";
import { selection } from "../strings/de/selection";
import { step } from "../strings/de/step";
import { story } from "../features/story/story.strings.de";
import { token } from "../strings/de/token";
import { transport } from "../strings/de/transport";
import { twoCities } from "../strings/de/two-cities";

export const translation: Translation = {
  language: "de",
  tables: {
    t: {
      ...compare,
      ...inspector,
      ...legend,
      ...selection,
      ...page,
      ...picture,
      ...runs,
      ...step,
      ...token,
      ...transport,
      announcements,
    },
    ask,
    bench,
    batchSize,
    otherTown,
    rareWords,
    standIn,
    browserSessions,
    caption,
    claims,
    classViewer,
    classroom,
    cost,
    events,
    exports,
    failures,
    film,
    game,
    geometry,
    help,
    lessonClass,
    lessons,
    look,
    map,
    matrix,
    measures,
    microscope,
    ownText,
    palette,
    run,
    runForm,
    saying,
    story,
    swap,
    teach,
    turn,
    twoCities,
  },
};
