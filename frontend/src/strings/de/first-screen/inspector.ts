/** German texts of the inspector around its panels. */

import type { inspector as english } from "../../first-screen/inspector";
import type { Translated } from "../../translation";

export const inspector: Translated<typeof english> = {
  inspecting: {
    tabs: "Bereiche des Labors",
    pointOut:
      "Hierauf zeigen: Die Adresse führt dann hierher, und eine Klasse, die folgt, sieht es hervorgehoben",
    leftOut: (panel) =>
      `Diese Datei hat keinen Bereich „${panel}“. Öffne den Lauf mit Lamplighter.`,
    about: {
      step: "Was ein Trainingsschritt gelesen hat, welche Zeilen der Matrix er geändert hat und wie stark.",
      matrix:
        "Alle Vektoren als ein Bild: Eine Zeile ist ein Wort, eine Spalte eine seiner Zahlen, die Farbe ihr Wert. Streifen heißen, dass Wörter einer Art Zahlen gemeinsam haben.",
      run: "Einstellungen, Tempo und Größe dieses Laufs.",
      map: "Die Viertel auf der Karte, wie sie gezeichnet wird und wie verlässlich sie ist.",
      measures: "Was hat es gelernt? In Zahlen, Schritt für Schritt.",
      experiments:
        "Was wäre, wenn? Gemessen an Kopien dieses Modells; dein Lauf bleibt, wie er ist.",
      cost: "Was Training braucht: Energie, Rechenschritte und Speicher, und was größere Modelle brauchen.",
      export:
        "Ein Bild oder ein Film der Karte, diese Seite mit dem Lauf darin und der Lauf als Dateien.",
    },
  },
};
