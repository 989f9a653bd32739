/** German texts of forks. */

import type { forks as english } from "../forks";
import { count } from "../numbers";
import type { Translated } from "../translation";

export const forks: Translated<typeof english> = {
  fields: {
    "optimiser.learning_rate": "Lerntempo",
    "optimiser.kind": "Optimierer",
    "optimiser.clip_norm": "Kappen der Gradienten",
    "optimiser.embedding_factor": "Lerntempo des Embeddings, als Vielfaches",
    "optimiser.weight_decay": "Gewichtszerfall",
    sequences: "Batchgröße",
    passages: "Textstellen je Batch",
    seed: "Reihenfolge der Batches (Startzahl)",
    "corpus.kind": "Text",
    "corpus.shuffle_words": "gemischte Wörter",
    "corpus.planted": "angelegte Wörter",
  },
  values: {
    lazy: "sparsames Adam",
    adam: "Adam",
    sgd: "SGD",
    lamptown: "Lamptown",
    othertown: "eine andere Stadt",
    novels: "Romane",
    manuals: "Handbücher",
    modular: "Rechnen auf der Uhr",
    repeats: "Wörter, die wiederkommen",
    text: "ein eigener Text",
    embedding: "das Embedding",
    output: "die Ausgabematrix",
    "embedding output": "das Embedding und die Ausgabematrix",
    true: "ja",
    false: "nein",
    "": "nichts",
  },
  instead: (field, after, before) => `${field} ${after} statt ${before}`,
  frozen: (matrices) => `${matrices || "nichts"} festgehalten`,
  nothing: "nichts geändert",
  from: (name, step, changes) => `Ab Schritt ${count(step)} von ${name}: ${changes}`,
  at: (step) => `Ab Schritt ${count(step)}:`,
  unnamed: "einem Lauf",
  gone: "Jenen Lauf gibt es nicht mehr.",
  fork: "Abzweig",
  compare: "Vergleichen",
  compareMore: "Zeigt, worin sich dieser Lauf von dem geöffneten unterscheidet",
  compareParent: "Mit dem Lauf vergleichen, von dem er abzweigt",
};
