/** Texts of the export panel. */

import type { ExportFormat } from "../api/rest-types";
import { count } from "./numbers";
import { table } from "./translation";

export const exports = table("exports", {
  exportPanel: {
    files: "The run as a file",
    about: "Everything recorded: for colleagues, other programs, or a class without a network.",
    viewer:
      "Only the presenter can export (open Lamplighter by its launch link). Finished exports can be downloaded here.",
    notBegun: "Nothing to export yet: this run has not started training.",
    none: "No exports yet. Exports stay here until the server stops.",
    whole: "The whole run",
    one: "One step",
    step: "Step",
    newest: "newest",
    stepMore: "Empty: the newest exact snapshot",
    make: "Export",
    underWay: "Under way",
    cancel: "Cancel",
    discard: "Discard",
    download: "Download",
    atStep: (step: number) => `step ${count(step)}`,
    cancelled: "cancelled",
    leftOut: "Left out:",
    state: {
      running: "is being exported",
      done: "is ready",
      failed: "failed",
      cancelled: "was cancelled",
    },
    formats: {
      html: [
        "Web page",
        "This page with the run in it, as one file. Double-click to open it, even offline.",
      ],
      zip: [
        "Zip of the run",
        "Everything in it, text included, to open or continue elsewhere: lamplighter import.",
      ],
      csv: ["CSV", "One row per step: losses, speeds, words read, gradient norms, measures."],
      parquet: ["Parquet", "One row per word, for Embedding Atlas and data frames."],
      safetensors: ["safetensors", "The embedding and the map, bit for bit."],
      npy: ["npy", "The embedding alone, for NumPy."],
    } satisfies Record<ExportFormat, [string, string]>,
  },
} as const);
