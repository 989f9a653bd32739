/** German texts of the experiments about how the city is trained. */

import { NOTICED } from "../../../strings/amounts";
import { fine, percent } from "../../../strings/shares";
import type {
  batchSizes as englishBatchSizes,
  bench as englishBench,
  environment as englishEnvironment,
  deciles as englishDeciles,
  heads as englishHeads,
  substitution as englishSubstitution,
} from "./ask-training.strings";
import { approximately, bytes, count, fixed, small } from "../../../strings/numbers";
import type { Translated } from "../../../strings/translation";

const steps = (number: number) => (number === 1 ? "1 Schritt" : `${count(number)} Schritte`);
const stepsOf = (number: number) => (number === 1 ? "1 Schritt" : `${count(number)} Schritten`);
const loss = (value: number | null) => fixed(value, 2);
const times = (ratio: number) => (ratio >= 10 ? count(ratio) : fixed(ratio, 1));
/** Return milliseconds with as many digits as matter. */
const milliseconds = (value: number) => (value >= 10 ? count(value) : small(value, 2));

export const bench: Translated<typeof englishBench> = {
  empty:
    "Vier Kopien fangen neu an, mit derselben Zufallsstadt, und lesen dieselben Batches. Nur eines ist verschieden: wie die Zeilen geändert werden. Bei welcher darf die Stadt schlafen? Rate erst.",
  rule: {
    lazy: "Sparsam (lazy)",
    adam: "Adam",
    decay: "Adam + Gewichtszerfall",
    tied: "Eine Matrix",
  },
  ruleMore: {
    lazy: "SparseAdam: Nur die gelesenen Zeilen werden angefasst.",
    adam: "Jede Zeile läuft weiter wie zuvor, mit Schwung (Momentum), gelesen oder nicht.",
    decay: "Jede Zeile schrumpft außerdem bei jedem Schritt ein wenig (AdamW).",
    tied: "Eingang und Ausgang sind eine Matrix, also bekommt jede Zeile einen Gradienten.",
  },
  show: "Zeig die Zeilen, die",
  set: {
    moved: "sich bewegt haben",
    gradient: "einen Gradienten bekamen",
    batch: "gelesen wurden",
  },
  rows: (lit, all) => `${count(lit)} von ${count(all)}`,
  map: (rule, set, lit, all) =>
    `${rule}: ${count(lit)} von ${count(all)} Zeilen, die beim letzten Schritt ${set}`,
  key: (number) =>
    `Der letzte von ${stepsOf(number)}. Weiß: die Zeilen, die sein Batch gelesen hat. Orange: die anderen, die leuchten.`,
  counts: "Zeilen beim letzten Schritt",
  read: "gelesen",
  gradient: "Gradient",
  moved: "bewegt",
  price: "Was es kostet, die Matrix zu ändern",
  memory: (part, whole) => (part < whole ? `${bytes(part)} von ${bytes(whole)}` : bytes(whole)),
  operations: (part, whole) =>
    part < whole ? `${approximately(part)} von ${approximately(whole)}` : approximately(whole),
  priceMore:
    "Nach Formel. Die faule Regel ändert nur die Zeilen mit Gradient, die anderen ändern alle Zeilen.",
  memoryHead: "bewegter Speicher",
  operationsHead: "Rechenschritte",
  time: "Wie lange es hier gedauert hat",
  update: "Ändern, ms",
  step: "ganzer Schritt, ms",
  speed: (recipes) => {
    const lazy = recipes.find(({ name }) => name === "lazy");
    const adam = recipes.find(({ name }) => name === "adam");
    if (!lazy || !adam) return "";
    const saved = 1 - lazy.step_ms / adam.step_ms;
    const share = adam.update_ms / adam.step_ms;
    if (saved >= NOTICED)
      return `Bei dieser Größe ist ein sparsamer Schritt ${fine(saved)} kürzer als einer von Adam.`;
    return `Bei dieser Größe spart es keine Zeit: Ein sparsamer Schritt dauerte ${milliseconds(lazy.step_ms)} ms, einer von Adam ${milliseconds(adam.step_ms)} ms. Selbst alle Zeilen zu ändern ist nur ${fine(share)} eines Schritts; der Rest ist Vorhersagen und Daraus-Lernen.`;
  },
  large: "In einem großen Modell",
  largeMore: (large) =>
    `Eine Matrix von ${count(large.rows)} × ${count(large.width)}: ${count(large.touched)} Zeilen zu ändern dauerte ${milliseconds(large.touched_ms)} ms, alle Zeilen ${milliseconds(large.whole_ms)} ms: ${times(large.whole_ms / large.touched_ms)}-mal so lange.`,
  softmax: (large) =>
    `Aber ${count(large.batch_tokens)} Wörter über so viele Zeilen vorherzusagen braucht ${times(large.softmax_flops / large.whole_flops)}-mal so viel Rechnen, wie sie alle zu ändern. Die meiste Arbeit liegt anderswo.`,
  noLarge: (reason) => `Hier wurde das nicht gemessen: ${reason}.`,
  fresh:
    "Alle vier fangen untrainiert an: Aus einem Modell mit zwei Matrizen wird keines mit einer. Dein Lauf bleibt, wie er ist.",
};

export const batchSizes: Translated<typeof englishBatchSizes> = {
  empty:
    "Die Batches des Laufs werden einer nach dem anderen zu größeren zusammengelegt. Rate erst: Wie viele Wörter muss man auf einmal lesen, bis keine Zeile mehr schläft?",
  slider: "Wörter in einem Batch",
  share: (share) => fine(share),
  lit: (tokens) => `aller Zeilen liest ein Batch von ${count(tokens)} Wörtern`,
  rows: (rows, all) => `${count(rows)} von ${count(all)} Zeilen`,
  bar: (tokens) => count(tokens),
  head: "Wörter auf einmal, und welchen Anteil der Zeilen sie erleuchten",
  alone: (share) =>
    `Einzeln aus dem ganzen Text gezogene Wörter ließen ${fine(share)} leuchten (der dünne Strich). Ein Text, der bei seinem Thema bleibt, wiederholt sich.`,
  own: (tokens) => `Dieser Lauf liest ${count(tokens)} Wörter auf einmal.`,
  again: (tokens) =>
    `Der Text hat nur ${count(tokens)} Wörter, darum liest ein größerer Batch Stellen mehrmals.`,
  verdict: (share, tokens) =>
    share >= 0.9
      ? `Mit ${count(tokens)} Wörtern auf einmal ist die Stadt hellwach. Große Modelle lesen noch viel mehr.`
      : `Selbst bei ${count(tokens)} Wörtern auf einmal schlafen hier ${fine(1 - share)} der Zeilen.`,
};

export const environment: Translated<typeof englishEnvironment> = {
  empty: (number, back) =>
    `Eine Kopie zieht für ${steps(number)} in eine andere Stadt: dieselben Wörter, aber jedes hat seine Rolle mit einem anderen getauscht. Dann kommt sie für ${steps(back)} nach Hause. Rate erst: Was vergisst sie zuerst, ihre Antworten oder ihre Karte? Das dauert eine Weile.`,
  memory: {
    answers: "Schritte: ihre Antworten",
    output: "Schritte: die Ausgabematrix",
    input: "Schritte: die Eingabematrix, die Karte",
  },
  forgotten: "Ein Zehntel dessen, was sie wusste, war weg nach",
  after: (step, last) =>
    step === null ? "–" : step === Infinity ? `> ${count(last)}` : count(step),
  verdict: (first, mapLast) =>
    first === null
      ? "Was aus der Karte wurde, lässt sich hier nicht vergleichen: In diesem Text sind keine Arten angelegt, oder es war noch nichts gelernt."
      : first
        ? `Die Antworten vergisst sie zuerst.${mapLast ? " Die Karte, auf die alle schauen, ändert sich zuletzt." : ""}`
        : "Hier werden nicht die Antworten zuerst vergessen: Sie hatte noch nicht viel gelernt, oder sie blieb zu kurz.",
  loss: "Überraschung in jeder Stadt",
  lossMore: (first, away, home, guessing) =>
    `In der eigenen Stadt: ${first} vorher, ${away} nach der anderen Stadt, ${home} wieder zu Hause. Blindes Raten: ${loss(guessing)}.`,
  purity: "Nachbarn derselben Art",
  purityMore: (chance) =>
    `Welcher Anteil der nächsten Nachbarn eines Wortes (so vieler, wie seine Art weitere hat, höchstens zehn) von seiner Art ist, nach der Wahrheit jeder Stadt. Durch Zufall: ${fine(chance)}.`,
  lossValue: loss,
  own: "eigene Stadt",
  other: "andere Stadt",
  inOwn: "Eingabe · eigene",
  inOther: "Eingabe · andere",
  outOwn: "Ausgabe · eigene",
  outOther: "Ausgabe · andere",
  oneMatrix: "Eingabe und Ausgabe sind hier eine Matrix.",
  axis: (turned) =>
    turned === null
      ? "nach Schritten in der anderen Stadt"
      : `nach Schritten; wieder zu Hause nach ${count(turned)}`,
  words: ({ permuted, words }) =>
    `${count(permuted)} von ${count(words)} Wörtern haben ihre Rollen getauscht, jedes mit einem etwa gleich häufigen.`,
  unchanged: "Das war eine Kopie. Dein Lauf bleibt, wie er ist.",
};

export const deciles: Translated<typeof englishDeciles> = {
  empty:
    "Die Wörter werden danach sortiert, wie oft sie im Text stehen, in Gruppen, die je etwa ein Zehntel davon ausmachen. Du siehst, wie gut das Modell jede Gruppe kennt und welche Art zu trainieren die seltenen lernt.",
  now: "Wie überrascht es ist, von häufigen zu seltenen Wörtern",
  nowMore: (text) =>
    text === "held_out"
      ? "Überraschung in Nats bei Text, den es nie liest, nach dem Wort, das wirklich kommt."
      : "Überraschung in Nats beim Text des Laufs, denn keiner ist zurückbehalten, nach dem Wort, das wirklich kommt.",
  model: "dieses Modell",
  byCounts: "nur nach Häufigkeit",
  guessing: "reines Raten",
  group: "Gruppe",
  wordsHead: "Wörter",
  occurrences: "jedes kommt",
  lossHead: "Überraschung",
  range: ({ least, most }) =>
    least === most ? `${count(most)} ×` : `${count(least)} bis ${count(most)} ×`,
  count,
  lossValue: loss,
  race: (number) => `Zwei Arten zu trainieren, ${steps(number)} von Anfang an`,
  raceMore: (sgd, adam) =>
    `Jede mit dem besten von drei Lerntempos: einfacher Abstieg mit Schwung (Momentum) ${small(sgd)}, Adam ${small(adam)}.`,
  sgd: "einfacher Abstieg",
  adam: "Adam",
  start: "vor dem ersten Schritt",
  ends: (frequent, rare) =>
    `Auf den häufigsten Wörtern: einfacher Abstieg ${loss(frequent.sgd)}, Adam ${loss(frequent.adam)}. Auf den seltensten: ${loss(rare.sgd)} und ${loss(rare.adam)}.`,
  neither: (guessing) =>
    `Die seltensten Wörter kennt noch keiner von beiden (reines Raten: ${loss(guessing)}).`,
  verdict: (left) =>
    left
      ? "Einfacher Abstieg lässt die seltenen Wörter zurück. Das ist ein Grund, warum Sprachmodelle mit Adam trainiert werden."
      : "Hier lässt einfacher Abstieg die seltenen Wörter nicht zurück: Das zeigt sich nur, wo ein paar Wörter sehr häufig sind und lange genug trainiert wird.",
  axis: "von den häufigsten zu den seltensten Wörtern",
  line: (name, first, last) =>
    `${name}: ${loss(first[1])} auf den häufigsten Wörtern, ${loss(last[1])} auf den seltensten`,
};

export const substitution: Translated<typeof englishSubstitution> = {
  empty:
    "Liegen zwei Wörter nah beieinander, müsste das eine an der Stelle des anderen taugen. In rund zweihundert Sätzen wird ein Wort ersetzt: durch sein nächstes, durch sein zehntnächstes und durch Wörter, die nur etwa so häufig sind. Was überrascht das Modell am wenigsten? Rate erst.",
  head: "Um wie viel mehr der Satz das Modell überrascht",
  headMore: (sentences, text) =>
    text === "held_out"
      ? `In Nats, im Mittel über ${count(sentences)} Sätze, die es nie liest; die Marken: zwei Standardfehler nach jeder Seite.`
      : `In Nats, im Mittel über ${count(sentences)} Sätze seines eigenen Textes, denn keiner ist zurückbehalten; die Marken: zwei Standardfehler nach jeder Seite.`,
  by: { near: "das nächste", tenth: "das zehntnächste", chance: "gleich häufiges" },
  nats: (value) => fixed(value, 1),
  interval: (name, rise, error) =>
    error === null
      ? `${name}: ${fixed(rise, 1)} Nats`
      : `${name}: ${fixed(rise, 1)} Nats, Standardfehler ${fixed(error, 2)}`,
  share: (share, draws) =>
    `In ${percent(share)} der Sätze kostet das nächste Wort weniger als ${count(draws)} etwa so häufige im Mittel.`,
  example: (word) => `An der Stelle von ${word}`,
  exampleMore: "Von allen Sätzen, geordnet nach dem, was das nächste Wort erspart, der mittlere.",
};

export const heads: Translated<typeof englishHeads> = {
  empty:
    "Eine Liste zufälliger Wörter, und dann dieselbe Liste noch einmal: Nur Ort und Wiederholung können einem Kopf sagen, wohin er schauen soll. Hier siehst du, wohin jeder Kopf schaut, bei jedem Stand des Modells, der aufgehoben wurde.",
  scores: {
    previous: "voriges Wort",
    induction: "Induktion",
    first: "erstes Wort",
    spread: "überallhin",
  },
  meaning: {
    previous: "Der Anteil seiner Aufmerksamkeit, der zum Wort gleich davor geht.",
    induction:
      "Wenn ein Wort wiederkommt: der Anteil, der zu dem Wort geht, das ihm beim ersten Mal folgte. So ein Kopf kann abschreiben.",
    first: "Der Anteil, der zum ersten Wort geht: oft ein Platz zum Ausruhen.",
    spread:
      "Wie gleichmäßig er auf alle Wörter davor schaut: 1 ist gleichmäßig, 0 ein einziges Wort.",
  },
  chance: (share) => `Ein Kopf, der auf alle Wörter gleich schaut, erreicht ${share}.`,
  head: (layer, head) => `${layer + 1}·${head + 1}`,
  cell: (head, step, share) => `Schicht·Kopf ${head}, Schritt ${count(step)}: ${share}`,
  copies: (tokens, first, again, step) =>
    `Bei Schritt ${count(step)} liegt es bei ${tokens} zufälligen Wörtern um ${first} Nats daneben, und um ${again}, wenn sie wiederkommen. Nur wenn das Zweite viel kleiner ist, schreibt es ab.`,
  click: "Klick auf ein Quadrat, und du siehst, wohin der Kopf bei diesem Schritt geschaut hat.",
  back: "Was das Zurückschauen bringt",
  backMore:
    "Wie sich die Überraschung in Nats ändert, wenn es mehr Wörter zum Zurückschauen gibt: bei zufälligen Wörtern, wenn sie wiederkommen, und bei zurückbehaltenem Text am Ende dessen, was das Modell sieht, jeweils verglichen mit dem Anfang. Je tiefer die Linie, desto mehr bringt das Zurückschauen.",
  again: "zufällige Wörter, noch einmal",
  inContext: "zurückbehaltener Text, letztes Viertel",
  noUse: "Zurückschauen bringt nichts",
  backChance: (error) =>
    "Ein Modell, dem die Wörter weiter vorn nichts nützen, bleibt bei 0." +
    (error === null
      ? ""
      : ` Unsicherheit der Linie des zurückbehaltenen Textes: ${error} Nats (Standardfehler).`),
};
