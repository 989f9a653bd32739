/** German texts of the skyline. */

import { count } from "../numbers";
import type { skyline as english } from "../skyline";
import type { Translated } from "../translation";

export const skyline: Translated<typeof english> = {
  name: "Skyline",
  more: "Dieselbe Karte in drei Dimensionen: Jedes Wort ist so hoch wie eine Zahl über es (3)",
  label: (height, names) =>
    `Skyline des Wortschatzes: Die Höhe einer Säule ist ${height}. Zieh oder nimm die Pfeiltasten, um sie zu drehen, + und −, um näher zu kommen, klick auf eine Säule, um ihr Wort anzusehen.${names && ` Die höchsten: ${names}.`}`,
  height: "Höhe",
  heights: {
    touches: {
      name: "wie oft gelesen",
      axis: "wie oft gelesen (Batches)",
      is: "die Zahl der Batches, in denen seine Zeile bisher war",
      unit: "Batches",
    },
    since: {
      name: "Schritte seit dem Lesen",
      axis: "Schritte seit dem letzten Lesen",
      is: "die Zahl der Schritte, seit seine Zeile zuletzt in einem Batch war: Hohe schlafen lange",
      unit: "Schritte",
    },
    gradient: {
      name: "Gradientennorm",
      axis: "Gradientennorm beim letzten Leuchten",
      is: "die euklidische Norm des Gradienten seiner Zeile (vor dem Kappen, wenn es hier trainiert wurde), als es zuletzt leuchtete, während diese Seite zusah",
      unit: "Gradientennorm",
    },
    norm: {
      name: "Länge des Vektors",
      axis: "Länge seines Vektors (euklidische Norm)",
      is: "die Länge (euklidische Norm) seines Vektors",
      unit: "Länge seines Vektors",
    },
    moved: {
      name: "wie weit bewegt",
      axis: "wie weit im Raum bewegt",
      is: "der Abstand (euklidisch), um den sich seine Zeile im Raum bewegt hat",
      unit: "Abstand",
    },
    trust: {
      name: "Verlässlichkeit der Stelle",
      axis: "Verlässlichkeit seiner Stelle (0 bis 1)",
      is: "wie viele der Wörter ringsum auf der Karte echte Nachbarn sind, von 0 bis 1",
      unit: "verlässlich",
    },
    frequency: {
      name: "Häufigkeit",
      axis: "Vorkommen im Text",
      is: "wie oft es im Text vorkommt",
      unit: "Vorkommen im Text",
    },
  },
  about: (is, logarithmic) =>
    `Jede Säule steht da, wo ihr Wort auf der Karte liegt; ihre Höhe ist ${is}${logarithmic ? ", auf logarithmischer Skala" : ""}.`,
  atStep: (step) => `Schritt ${count(step)}.`,
  between: (from, step) => `Von Schritt ${count(from)} bis ${count(step)}.`,
  bound: "Manche sind Obergrenzen: Schritte, die diese Seite verpasst hat, wurden zusammengezählt.",
  most: (columns, all) => `Die ${count(columns)} häufigsten von ${count(all)} Wörtern.`,
  every: (all) => `Alle ${count(all)} Wörter.`,
  unknown: (words) =>
    words === 1
      ? "Für eines ist es nicht bekannt: ein hohler Punkt am Boden."
      : `Für ${count(words)} ist es nicht bekannt: hohle Punkte am Boden.`,
  none: "Es ist noch für kein Wort bekannt.",
  waiting: "Die Skyline wird gezeichnet …",
  noMap: "Noch gibt es keine Karte, auf der sie stehen könnte.",
  highest: "Am höchsten",
  value: (value, unit) => `${value} ${unit}`,
  notKnown: (unit) => `${unit}: nicht bekannt`,
};
