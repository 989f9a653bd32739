/** German texts of the palette. */

import type { palette as english } from "./palette.strings";
import type { Translated } from "../strings/translation";

export const palette: Translated<typeof english> = {
  panel: "Fenster",
  neighbourhood: "Viertel",
  command: "Befehl",
  course: "Der Kurs",
  does: {
    goLive: "Zurück zu Live oder ans Ende des Laufs",
    goToFirstStep: "An den Anfang, vor den ersten Schritt",
    toggleBeat: "Beim Lesen dieses Schritts verweilen",
    trainOneStep: "Einen Schritt trainieren und das Training für alle anhalten",
    toggleMap: "Die andere Karte",
    toggleSecondMap: "Zwei Karten nebeneinander oder eine",
    toggleLasso: "Wörter mit dem Lasso auswählen",
    showWholeMap: "Die ganze Karte zeigen",
    zoomIn: "Näher heran",
    zoomOut: "Weiter weg",
    toggleEnlarged: "Größere Schrift für die letzte Reihe",
    savePicture: "Das Bild speichern",
    toggleShortcuts: "Hilfe und Tasten",
  },
};
