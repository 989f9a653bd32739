/** German texts of the panel of costs. */

import type { CostEnergy } from "../../api/rest-types";
import { energyText, large, short, spanText, tiny } from "../../strings/amounts";
import type { cost as english } from "./cost.strings";
import { bytes, count, fixed, small } from "../../strings/numbers";
import type { Translated } from "../../strings/translation";

const ms = (seconds: number) => `${fixed(1_000 * seconds, 1)}\u00a0ms`;
const span = (from: number, size: number) => `${count(from)} bis ${count(from + size - 1)}`;

const METHODS: Record<CostEnergy["method"], string> = {
  nvml: "Gemessen vom Zähler der Grafikkarte. Der Prozessor daneben ist nicht dabei.",
  rapl: "Gemessen von den Zählern der Prozessoren (RAPL). Sie zählen die Arbeit aller Programme auf dem Computer.",
  processor: "Geschätzt: Nichts an diesem Computer zählt seine Energie für uns.",
};

export const cost: Translated<typeof english> = {
  none: "Noch keine Daten zu den Kosten.",
  meter: "Energie bisher",
  spent: (joules) => energyText(joules),
  watts: (watts) => `${short(watts)} W`,
  wattsNow: "jetzt",
  wattsMean: "im Mittel beim Training",
  units:
    "Joule (J) zählen Energie: wie viel verbraucht wurde. Watt (W) sagen, wie schnell: Ein Watt ist ein Joule je Sekunde.",
  lamp: (seconds, watts) => `Genug für eine Lampe mit ${watts} W: ${spanText(seconds)}.`,
  method: ({ method, watts_assumed: watts }, seconds) =>
    watts === null
      ? METHODS[method]
      : `${METHODS[method]} Wir nehmen die Rechenzeit des Prozessors (${spanText(seconds)}) und ${short(watts)} W für einen beschäftigten Kern.`,
  between: (least, most) =>
    `Die wahre Zahl kann irgendwo zwischen ${energyText(least)} und ${energyText(most)} liegen.`,
  noError: (mixed) =>
    mixed
      ? "Wie weit sie daneben liegt, weiß niemand."
      : "Wie weit sie daneben liegt, weiß niemand: Sie ist so gut wie die angegebenen Watt.",
  source: "Quelle dieses Fehlers",
  withoutCard: "Die meiste Arbeit hat eine Grafikkarte getan. Ihre Energie ist nicht dabei.",
  mixed: "Mehrere Computer haben diesen Lauf trainiert, und nicht alle haben gleich gemessen.",
  missing: {
    recorded:
      "Diesen Lauf hat ein anderes Programm trainiert, das seine Energie nicht aufgezeichnet hat.",
    unmeasured: "Dieser Lauf wurde trainiert, bevor Lamplighter Energie maß.",
  },
  processor: "Rechenzeit des Prozessors",
  perStep: "Energie je Schritt",
  measured: (since, step) =>
    since ? `von Schritt ${count(since)} bis ${count(step)}` : `bis Schritt ${count(step)}`,
  upTo: (step) => `bis Schritt ${count(step)}`,

  work: "Was ein Schritt rechnet",
  workMore: (flops, tokens) =>
    `Etwa ${large(flops)} Additionen und Multiplikationen (FLOP) für ${count(tokens)} geratene Wörter, nach Formel gezählt.`,
  all: (flops, tokens) => `Bisher: ${large(flops)} FLOP, für ${large(tokens)} geratene Wörter.`,
  update: "Ändern der Gewichte",
  flops: (flops) => `${large(flops)} FLOP`,
  operations: large,

  rule: "Die Faustregel",
  ruleMore:
    "Oft wird 6 × N × D gerechnet: sechs Rechenschritte für jede von N Zahlen des Modells und jedes von D Token. Es kommt darauf an, welche Zahlen man zählt: In der Tabelle am Eingang wird nur nachgeschlagen.",
  counted: {
    all: "alle Zahlen",
    without_input_table: "ohne die Tabelle am Eingang",
    without_tables: "ohne beide Tabellen",
  },
  error: (error) => `${error < 0 ? "−" : "+"}${count(Math.abs(100 * error))}\u00a0%`,
  ruleError: "Daneben: wie weit es von den Matrixprodukten des Schritts weg ist.",

  memory: "Nur die gelesenen Zeilen",
  memoryMore: (arrays) =>
    arrays > 1
      ? `Zu jeder Zeile gehören beim Ändern ${count(arrays - 1)} Mittelwerte früherer Gradienten. All das wird gelesen und geschrieben, und der Gradient wird gelesen.`
      : "Jede Zeile wird gelesen und geschrieben, und ihr Gradient wird gelesen.",
  touched: (rows) => `${count(rows)} Zeilen ändern`,
  whole: "die ganze Matrix ändern",
  bytes: (size) => bytes(size),
  times: (times) =>
    times >= 1.5
      ? `Das ist ${short(times)}-mal so viel Speicher, der bewegt wird.`
      : "Hier ist das gleich: Jede Zeile wird geändert.",

  order: "Was es gebracht hat",
  orderMore: {
    joules:
      "Von links nach rechts: verbrauchte Energie. Die Überraschung fällt, wenn es besser rät; die Bits steigen, wenn Nachbarn von einer Art sind.",
    flops:
      "Von links nach rechts: Rechenschritte, denn niemand hat die Energie gemessen. Die Linie der Überraschung fällt, wenn es besser rät.",
  },
  lossOf: { held_out: "Überraschung bei Text, den es nie gelesen hat", batch: "Überraschung" },
  bits: "Bits über die Art in den Nachbarn",
  noBits: "Die Ordnung ist hier noch nicht gemessen: Es fehlt das Maß „neighbour_information“.",
  axis: { joules: "Joule", flops: "FLOP" },
  half: (step, [start, half, end]) =>
    `Die erste Hälfte der Kosten (bis Schritt ${count(step)}) hat ${fixed(half - start, 2)} Bits Ordnung gebracht, die zweite ${fixed(end - half, 2)}.`,
  chart: (spent, loss) => `Überraschung ${loss} nach ${spent}`,

  scale: "Dasselbe für größere Modelle",
  scaleMore:
    "Nur dieser Lauf ist von hier. Die FLOP der anderen sind berechnet, und ihre Energie ist hochgerechnet: als kostete jeder Rechenschritt so viel wie auf diesem Computer. Große Rechner brauchen für jeden viel weniger, wie die veröffentlichten Zahlen zeigen.",
  rowName: ({ kind, published }) =>
    kind === "run"
      ? "Dieser Lauf"
      : kind === "larger"
        ? "Dieselben Schritte, 50.000 Wörter × 1.024 Zahlen"
        : `${published?.name ?? ""} (${published?.year ?? ""})`,
  rowSize: (parameters, tokens) => `${large(parameters)} Zahlen, ${large(tokens)} Token`,
  basis: { measured: "gemessen", estimated: "geschätzt", extrapolated: "hochgerechnet" },
  computed: { formula: "berechnet", "6ND": "berechnet, 6ND" },
  publishedEnergy: "veröffentlicht",
  unknown: "nicht bekannt",
  sourceOf: "Größe",
  energySource: "Energie",
  sources: "Quellen:",

  devices: "Zwei Geräte, ein Modell",
  devicesMore:
    "Große Modelle werden auf vielen Geräten trainiert. Jedes liest einen Teil des Batches mit seiner eigenen Kopie des Modells; dann zählen alle ihre Gradienten zusammen.",
  share: (step) => `Zwei Prozesse sollen sich Schritt ${count(step)} teilen`,
  first: "Geh zu einem späteren Schritt: Zum Teilen braucht es einen.",
  viewer: "Starten kann das nur, wer vorführt.",
  cancel: "Abbrechen",
  sent: "Von einem Gerät in einem Schritt verschickt",
  way: { dense: "mit allen Gradienten ganz", lazy: "nur mit den Zeilen, die es gelesen hat" },
  byFormula: (measured, formula) =>
    measured.every((size, i) => size === formula[i])
      ? "Das ist aufs Byte genau, was die Formel sagt."
      : `Die Formel sagt ${formula.flatMap((size) => (size === null ? [] : [bytes(size)])).join(" und ")}.`,
  shared: ([a = 0, b = 0], rows, together) =>
    `Einer hat ${count(a)} Sequenzen gelesen (${count(rows[0] ?? 0)} Zeilen), der andere ${count(b)} (${count(rows[1] ?? 0)} Zeilen); zusammen ${count(together)} Zeilen.`,
  same: (difference, largest) =>
    `Zusammen sind ihre Gradienten die eines einzigen Prozesses, bis aufs Runden: Der größte Unterschied ist ${tiny(difference)}, der größte Gradient ${small(largest, 2)}.`,

  together: (processes) => `${count(processes)} Prozesse trainieren diesen Lauf`,
  handed: (step) =>
    `Bytes, die alle zusammen in Schritt ${count(step)} übergeben haben, nach Art und Formel (Buchstaben: docs/deploy.md, docs/client.md). Ein „≠“ zeigte, was die Formel stattdessen sagt.`,
  transfer: "zwischen Schritten",
  process: ({ offset, rows, columns }, at) =>
    `Prozess ${at} hat Zeilen ${span(offset, rows)}${columns ? `, Spalten ${span(...columns)}` : ""}`,
  worked: ({ worked, waited, slowest }, steps) =>
    `${ms(worked)} gerechnet, ${ms(waited)} gewartet; am langsamsten in ${count(slowest)} von ${count(steps)} Schritten`,
  guest:
    "Die Bytes sind die der Aufzeichnung. Nicht als Rechnen zählt, wobei Prozesse aufeinander warten können, außer zwischen zwei Schritten; gewartet ist, um wie viel länger der langsamste rechnet.",
  lags: (at) => `Prozess ${at} hinkt nach: Die anderen warten auf ihn.`,
  lagging: (steps, processes) =>
    `Durch Zufall ist jeder in ${fixed(steps / processes, 1)} von ${count(steps)} Schritten der langsamste; ein Prozess hinkt nach, wenn er es so oft ist, wie es durch Zufall irgendeiner in weniger als 1,4 von 1.000 solchen Abschnitten wäre, und ein Zehntel länger rechnet als die anderen (ab zehn Schritten).`,
};
