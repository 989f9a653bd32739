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

import type { Translation } from "../translation";
import { announcements } from "./announcements";
import { ask } from "./ask";
import { look, swap, teach, turn } from "./ask-experiments";
import { batchSize, bench, otherTown, rareWords, standIn } from "./ask-training";
import { browserSessions } from "./browser-sessions";
import { caption } from "./caption";
import { claims } from "./claims";
import { classViewer } from "./class-viewer";
import { classroom } from "./classroom";
import { compare } from "./compare";
import { cost } from "./cost";
import { events } from "./events";
import { exports } from "./exports";
import { failures } from "./failures";
import { film } from "./film";
import { game } from "./game";
import { geometry } from "./geometry";
import { help } from "./help";
import { inspector } from "./inspector";
import { legend } from "./legend";
import { lessonClass } from "./lesson-class";
import { lessons } from "./lessons";
import { map } from "./map";
import { matrix } from "./matrix";
import { measures } from "./measures";
import { microscope } from "./microscope";
import { ownText } from "./own-text";
import { palette } from "./palette";
import { page } from "./page";
import { picture } from "./picture";
import { run } from "./run";
import { runForm } from "./run-form";
import { runs } from "./runs";
import { saying } from "./saying";
import { selection } from "./selection";
import { step } from "./step";
import { story } from "./story";
import { token } from "./token";
import { transport } from "./transport";
import { twoCities } from "./two-cities";

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
