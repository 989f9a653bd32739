/** German texts of the panel of pictures and films. */

import type { picture as english } from "../../first-screen/picture";
import type { Translated } from "../../translation";

export const picture: Translated<typeof english> = {
  picture: {
    title: "Ein Bild der Stadt",
    about:
      "Was die Karte jetzt zeigt, in der Größe, die du wählst: die Lichter dieses Schritts, die Namen und eine Bildunterschrift.",
    thenAndNow: "Damals | jetzt",
    thenAndNowMore: "Die erste Karte und die auf dem Bildschirm, nebeneinander",
    size: "Größe",
    sizes: {
      projector: "breit, 1920 × 1080",
      "4k": "4k, 3840 × 2160",
      square: "quadratisch, 1440 × 1440",
      screen: "wie auf diesem Bildschirm",
    },
    png: "PNG speichern",
    pngMore: "Mit jedem Licht, für Folien und zum Drucken",
    share: "Teilen",
    busy: "Es wird gezeichnet",
    saved: (name, size) => `${name} gespeichert, ${size}`,
    nothing: "Noch gibt es nichts zu speichern: Die Wörter haben noch keinen Platz.",
    failed: "Dieser Browser konnte das Bild nicht zeichnen; vielleicht geht es kleiner.",
    notShared: "Dieser Browser hat es nicht geteilt; speichere es stattdessen.",
  },
};
