/** German texts about selected tokens. */

import { count } from "../../numbers";
import type { selection as english } from "../../first-screen/selection";
import type { Translated } from "../../translation";

const words = (n: number) => (n === 1 ? "1 Wort" : `${count(n)} Wörter`);

export const selection: Translated<typeof english> = {
  selection: {
    said: (n) => (n ? `${words(n)} ausgewählt` : "Keine Wörter ausgewählt"),
    toldWith: (n, some) => `${words(n)} ausgewählt: ${some}`,
    letGo: "Loslassen",
    letGoMore: "Diese Wörter loslassen (Esc)",
    open: "Diese Wörter ansehen",
    before: "Die nächsten Wörter",
    how: {
      new: ["Neue Auswahl", "Die nächsten Wörter ersetzen die Auswahl"],
      add: ["Dazu", "Die nächsten Wörter kommen zur Auswahl dazu (Umschalt auf der Karte)"],
      take: ["Weg", "Die nächsten Wörter werden aus der Auswahl genommen (Alt auf der Karte)"],
    },
    drawing: "Umkreise Wörter.",
    stopDrawing: "Fertig",
    aligned: (n) => `${words(n)} festgehalten`,
  },
};
