/** German texts of the cards that introduce a run, and tell how it ended. */

import { count, fixed, inWords } from "../../strings/numbers";
import type { story as english } from "./story.strings";
import type { Translated } from "../../strings/translation";

const LIGHT = "Jedes Licht ist ein Wort.";
const PROBES = "Jedes Licht ist ein Wort in einem Satz, wie es eine Schicht des Modells sieht.";
const PIECES = "Jedes Licht ist ein Wort oder ein Stück davon.";

export const story: Translated<typeof english> = {
  label: "Einführung",
  line({ name, step, recorded, probed, district: told }, district, pieces) {
    switch (name) {
      case "lights": {
        const light = probed ? PROBES : pieces ? PIECES : LIGHT;
        if (step) {
          const steps = step === 1 ? "seit 1 Schritt" : `seit ${count(step)} Schritten`;
          return `${light} Dieses Sprachmodell ${recorded ? "trainiert" : "liest"} ${steps}.`;
        }
        return recorded ? light : `${light} Gleich liest ein kleines Sprachmodell zum ersten Mal.`;
      }
      case "nothing":
        return "Es weiß noch nichts: Die Wörter liegen irgendwo.";
      case "reading":
        return recorded
          ? "Bei jedem Schritt liest es ein paar Wörter und schubst sie ein wenig: Die leuchten auf."
          : "Es liest ein paar Sätze, rät jedes nächste Wort und schubst die gelesenen Wörter ein wenig: Die leuchten auf.";
      case "district": {
        if (told?.planted)
          return recorded
            ? `Für das Modell sind diese Wörter ähnlich. Der Name ist von uns: ${district}.`
            : `Niemand hat ihm gesagt, dass diese zusammengehören. Aber wir haben solche Gruppen in seinem Text angelegt, und der Name ist von uns: ${district}.`;
        return recorded
          ? `Für das Modell sind diese Wörter ähnlich: ${district}.`
          : `Niemand hat ihm gesagt, dass diese zusammengehören: ${district}.`;
      }
      case "lie":
        return "Erzähl ihm etwas Unwahres. Was glaubt es dann noch?";
      case "words":
        return "Such dir ein Wort aus:";
    }
  },
  lie: (sentence) => `Bring ihm bei: ${sentence}`,
  next: "Weiter",
  skip: "Überspringen",
  fromStart: "Von Anfang an ansehen",

  endLabel: "Das Ende dieses Laufs",
  title({ phase, step, inherited, ownStep, read }, pieces) {
    if (ownStep !== undefined) {
      const last =
        ownStep === null ? "" : `, der letzte davon Schritt ${count(ownStep)} seines Trainings`;
      return `${steps(step)} aufgezeichnet${last}.`;
    }
    const words =
      read === null
        ? ""
        : `, ${inherited ? "seitdem " : ""}${large(read)} ${pieces ? "Wörter und Stücke von Wörtern" : "Wörter"} gelesen`;
    const after = inherited ? ` nach ${count(inherited)} geerbten` : "";
    if (phase === "finished")
      return `${steps(step, after ? ["eigener ", "eigene "] : undefined)}${after}${words}.`;
    const how = phase === "failed" ? "Dieser Lauf ist fehlgeschlagen" : "Dieser Lauf wurde beendet";
    return `${how}, bei Schritt ${count(step)}${after}${words}.`;
  },
  learned({ phase, kindred, surprise, districts }) {
    if (phase === "failed") return null;
    if (kindred) {
      const [byChance, start] = [percent(kindred.byChance), kindred.atStart];
      const fell = start !== null && kindred.now < start;
      const before =
        start === null
          ? `durch Zufall ${byChance}`
          : percent(start) === byChance
            ? `am Anfang waren es ${byChance}, wie durch Zufall`
            : `am Anfang waren es ${percent(start)}, durch Zufall ${byChance}`;
      return `Von den nächsten Nachbarn eines Wortes (so vielen, wie seine Art weitere hat, höchstens zehn) sind ${percent(kindred.now)} von der Art, die wir für es angelegt haben${fell ? "" : ", wiedergefunden allein aus dem Text"}; ${before}.`;
    }
    const fell = surprise && surprise.last < surprise.first ? "sank" : "ging";
    return (
      [
        surprise &&
          `Seine Überraschung über das nächste Wort ${fell} von ${fixed(surprise.first, 1)} auf ${fixed(surprise.last, 1)} (niedriger ist besser).`,
        districts > 0 && `Es hat ${count(districts)} Viertel gebildet.`,
      ]
        .filter(Boolean)
        .join(" ") || null
    );
  },
  thenAndNow: "Damals und jetzt",
  replay: (seconds) => `In ${count(seconds)} s abspielen`,
  film: "Einen Film daraus machen",
  filmMore: "Der ganze Lauf in einer Minute",
  course: "Zum Kurs",
  another: "Ein anderer Text",
  runs: "Die Läufe zeigen",
  dismiss: "Schließen",
};

function steps(step: number, [one, more] = ["", ""]): string {
  return `${count(step)} ${step === 1 ? `${one}Schritt` : `${more}Schritte`}`;
}

function large(value: number): string {
  return value < 1e6 ? count(value) : inWords(value, { maximumFractionDigits: 1 });
}

/** Say a share in percent, never rounded up to all or down to nothing. */
function percent(share: number): string {
  const value = 100 * share;
  if (value > 0 && value < 1) return "weniger als 1\u00a0%";
  return `${count(share < 1 ? Math.min(99, value) : value)}\u00a0%`;
}
