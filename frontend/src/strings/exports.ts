/** Texts of the export panel. */

import type { ExportFormat } from "../api/rest-types";
import { count } from "./numbers";
import { table } from "./translation";

export const exports = table("exports", {
  exportPanel: {
    files: "The run as a file",
    about:
      "Everything that was kept: for colleagues, other programs, or a class without a network.",
    viewer:
      "Only the presenter can make exports (open Lamplighter by its launch link). What is made can be downloaded here.",
    notBegun: "There is nothing to export yet: this run has not started training.",
    none: "Nothing made yet. What is made stays here for download until the server ends.",
    whole: "The whole run",
    one: "One step",
    step: "Step",
    newest: "newest",
    stepMore: "Empty: the newest step that was kept exactly",
    make: "Make",
    cancel: "Cancel",
    discard: "Discard",
    download: "Download",
    atStep: (step: number) => `step ${count(step)}`,
    progress: (share: number, what: string) =>
      `${Math.floor(100 * share)} %${what && ` · ${what}`}`,
    cancelled: "cancelled",
    leftOut: "Left out:",
    state: {
      running: "is being made",
      done: "is ready",
      failed: "failed",
      cancelled: "was cancelled",
    },
    formats: {
      html: [
        "Replay page",
        "This page with the run in it, as one file: it opens by a double click, without a server or a network.",
      ],
      zip: [
        "Zip of the run",
        "Everything in it, the text included, to look at elsewhere or go on with: lamplighter import.",
      ],
      csv: ["CSV", "One row per step: losses, speeds, words read, gradient norms, measures."],
      parquet: ["Parquet", "One row per word, for Embedding Atlas and data frames."],
      safetensors: ["safetensors", "The embedding and the map, bit for bit."],
      npy: ["npy", "The embedding alone, for NumPy."],
    } satisfies Record<ExportFormat, [string, string]>,
  },
} as const);
