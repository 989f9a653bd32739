/** Experiments with the model: a component for each, which makes its question and shows its answer. */

import type { Component } from "svelte";
import type { ExaminationQuestion, StoredAnswer } from "../../api/rest-types";
import type { ExperimentName } from "../../model/view/view-options";
import type { Questions } from "../../state/questions/questions.svelte";
import type { AskSettings } from "../../state/view/ask-settings.svelte";
import BatchSize from "./training/BatchSize.svelte";
import Bench from "./training/Bench.svelte";
import LookInside from "./LookInside.svelte";
import OtherTown from "./training/OtherTown.svelte";
import RareWords from "./training/RareWords.svelte";
import Say from "./Say.svelte";
import StandIn from "./training/StandIn.svelte";
import Swap from "./Swap.svelte";
import Teach from "./Teach.svelte";
import Turn from "./Turn.svelte";

export interface ExperimentProps {
  questions: Questions<StoredAnswer>;
  /** Settings of the question that was asked last, or that a link brought. */
  settings: AskSettings;
  /** The step displayed. */
  step: number;
  /** Asks a question; null for a viewer. */
  ask: ((question: ExaminationQuestion) => void) | null;
}

/** Exports of an experiment: the question about a prompt at a step, with what stands in its fields. */
export interface ExperimentExports {
  question(prompt: string, step: number): ExaminationQuestion;
}

interface Experiment {
  Panel: Component<ExperimentProps, ExperimentExports>;
  /** Set where nothing is to be written. */
  wordless?: true;
}

export const EXPERIMENT_PANELS: Record<ExperimentName, Experiment> = {
  speak: { Panel: Say },
  what_if: { Panel: Teach },
  transplant: { Panel: Swap },
  probe: { Panel: LookInside },
  rotation: { Panel: Turn, wordless: true },
  bench: { Panel: Bench, wordless: true },
  batch_sizes: { Panel: BatchSize, wordless: true },
  environment: { Panel: OtherTown, wordless: true },
  deciles: { Panel: RareWords, wordless: true },
  substitution: { Panel: StandIn, wordless: true },
};
