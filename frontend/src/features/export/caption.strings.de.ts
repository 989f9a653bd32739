/** German texts of the pictures and films themselves. */

import type { caption as english } from "./caption.strings";
import { inTen } from "../../strings/shares";
import { count } from "../../strings/numbers";
import type { Translated } from "../../strings/translation";

export const caption: Translated<typeof english> = {
  learns: (words) => `Ein Sprachmodell lernt ${count(words)} Wörter`,
  before: (step) =>
    step ? `Bei Schritt ${count(step)}` : "Bevor es etwas liest, liegen die Wörter irgendwo",
  after: (steps) => `Nach ${count(steps)} Schritten Lesen`,
  step: (step) => `Schritt ${count(step)}`,
  loss: (loss) => `Überraschung ${loss} (Verlust, Nats je Wort)`,
  lit: (lit, all) => `liest ${count(lit)} von ${count(all)} Wörtern`,
  none: (all) => `noch keines von ${count(all)} Wörtern gelesen`,
  view: (view, step) => `${view}, Schritt ${count(step)}`,
  trust: (recall) => `${inTen(recall)} von 10 Nachbarn auf der Karte sind echt`,
  noTrust: "wie viele Nachbarn auf der Karte echt sind, ist nicht gemessen",
  reading: "jedes Licht ist ein Wort, je heller, desto stärker will dieser Schritt es ändern",
  readOnly: "jedes Licht ist ein Wort; die dieser Schritt gelesen hat, leuchten",
  relief: "Land: wie dicht die Wörter liegen",
  legend: (by, entries, tints) =>
    entries > tints
      ? `Farbe: ${by} (${count(entries)} teilen sich ${tints} Farben)`
      : `Farbe: ${by}`,
  more: (entries) => `und noch ${count(entries)}`,
};
