/** German texts of the measures panel. */

import type { measures as english } from "../measures";
import { count, fixed } from "../numbers";
import { percent } from "../shares";
import type { Translated } from "../translation";

export const measures: Translated<typeof english> = {
  measuresPanel: {
    none: "Noch nichts gemessen",
    noneMore: "Die Maße werden berechnet, während der Lauf trainiert.",
    unbarred: "Keines gesperrt",
    stayed: (words, all, limit, least, scale) =>
      `${count(words)} von ${count(all)} Wörtern haben sich um höchstens ${fixed(limit, 2)}° gedreht, das ist Rundung` +
      (least === null ? "." : `; alle anderen um ${fixed(least, 1)}° oder mehr.`) +
      (scale < 0.995 ? ` Der Gewichtszerfall hat sie auf ${percent(scale)} verkürzt.` : ""),
    showStayed: "Auf der Karte zeigen",
    titles: {
      loss: "Überraschung bei Text, den es nie gelesen hat",
      accuracy: "Richtig gelöste Aufgaben",
      circle_share: "Der stärkste Kreis der Zahlen",
      loss_decile: "Überraschung nach der Häufigkeit des Wortes",
      separation: "Wie weit Bedeutungen auseinander sind",
      purity: "Nachbarn derselben Art",
      analogy: "Analogien",
      neighbour_information: "Gewonnene Ordnung, in Bits",
      consistency: "Zeigen die Paare einer Beziehung in eine Richtung?",
      consistency_chance: "Dasselbe für zufällige Paare dieser Arten",
      rank: "Verwandte Wörter, jedes in der Liste des anderen",
      nearest_cosine: "Wie ähnlich das nächste Wort ist",
      rows_stayed: "Wörter, die blieben, wo sie anfingen",
      anisotropy: "Zeigen alle Wörter in eine Richtung?",
      never_lit: "Nie gelesene Wörter",
      coverage: "Mindestens einmal gelesene Wörter",
      effective_rank: "Genutzte Richtungen",
      length_log_count_spearman: "Länge eines Vektors und Häufigkeit",
    },
    more: {
      loss: "Die Überraschung in Nats je Wort, nach demselben Schritt: auf bis zu 4.096 Wörtern, die beim Training zurückbehalten wurden, und auf den letzten Batches. Wo beide auseinandergehen, lernt das Modell seinen Text auswendig.",
      accuracy:
        "Der Anteil richtiger Antworten. Was es gesehen hat, kann es auswendig; für das andere braucht es die Regel. Gestrichelt: Raten.",
      circle_share:
        "Der Anteil der stärksten Frequenz an den Unterschieden zwischen den Zeilen der Zahlen: In gleichen Schritten umrunden sie einen Kreis. Gestrichelt: ebenso lange zufällige Zeilen.",
      loss_decile:
        "Die Überraschung bei zurückbehaltenem Text, in zehn gleichen Teilen davon: 1 hat die häufigsten Wörter, 10 die seltensten.",
      separation:
        "Je Schicht: wie viel näher ein Wort seinen Sätzen derselben Bedeutung ist als denen der anderen (Silhouette): 1 weit auseinander, 0 gemischt. Gestrichelt: worunter 95 von 100 Vertauschungen der Bedeutungen bleiben. Ein Modell, das nichts gelernt hat, zeigt Schritt 0.",
      purity:
        "Welcher Anteil der nächsten eines Wortes von seiner Art ist (von so vielen, wie seine Art weitere hat, höchstens zehn), gemittelt über die Arten. Gestrichelt: was der Zufall ergibt.",
      analogy:
        "king - man + woman = ?, für jede angelegte Beziehung: wie oft die Antwort die nächste Zeile ist, die drei gegebenen Wörter gesperrt. Dürfen auch sie antworten, sind weniger richtig, nie mehr:",
      neighbour_information:
        "Was die nächsten eines Wortes (so viele, wie seine Art weitere hat, höchstens zehn) über seine Art verraten; jedes Bit halbiert die Arten, die noch in Frage kommen. Gestrichelt: das Höchstmögliche, und zufällig ausgeteilte Listen.",
      consistency:
        "Der mittlere Kosinus zwischen den Wegen vom ersten zum zweiten Wort je zweier Paare: 1, wenn alle in dieselbe Richtung zeigen.",
      consistency_chance:
        "Was zwei Arten zwischen sich haben, ganz ohne Beziehung zwischen ihren Wörtern.",
      rank: "Der schlechtere von zwei Rängen: 1, wenn jedes das nächste des anderen ist.",
      nearest_cosine:
        "Der mittlere Kosinus mit der nächsten anderen Zeile. Gestrichelt: dasselbe unter ebenso vielen zufälligen Pfeilen.",
      rows_stayed:
        "Das Training hat ihre Zeilen nicht gedreht, also nicht gelesen. Die bis zum Ende bleiben, heißen Glitch-Tokens.",
      anisotropy:
        "Der mittlere Kosinus je zweier Wörter (Anisotropie). Gestrichelt: zufällige Pfeile.",
      never_lit: "Ihre Zeilen sind so, wie sie vor dem ersten Schritt waren.",
      coverage: "Der Anteil aller Wörter, die schon in einem Batch waren.",
      effective_rank:
        "Effektiver Rang: wie viele Richtungen das Embedding wirklich nutzt, von so vielen, wie ein Vektor Zahlen hat. Gestrichelt: ebenso lange zufällige Pfeile.",
      length_log_count_spearman:
        "Rangkorrelation der Länge eines Vektors mit dem Logarithmus der Häufigkeit seines Wortes. 0: keine, 1: vollkommen.",
    },
    lines: {
      chance: "Zufall",
      loss_held_out: "auf Text, den es nie gelesen hat",
      loss_read: "auf dem Text, den es liest",
      accuracy_read: "Aufgaben, die es gesehen hat",
      accuracy_held_out: "Aufgaben, die es nie gesehen hat",
      circle_share: "stärkste Frequenz",
      purity_10nn: "Reinheit der nächsten, höchstens zehn",
      neighbour_information: "Bits",
      neighbour_information_most: "höchstens möglich",
      nearest_cosine: "nächstes Wort",
      effective_rank: "Richtungen",
      anisotropy: "je zwei Wörter",
    },
  },
};
