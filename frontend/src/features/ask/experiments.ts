/** The experiments with the model: each component builds its question and displays its answer. */

import type { Component } from "svelte";
import type { ExaminationQuestion, StoredAnswer } from "../../api/rest-types";
import type { ExperimentName } from "../../model/view/view-options";
import type { Questions } from "../../state/questions/questions.svelte";
import type { AskSettings } from "../../state/view/ask-settings.svelte";
import Acquisition from "./training/Acquisition.svelte";
import BatchSizes from "./training/BatchSizes.svelte";
import Bench from "./training/Bench.svelte";
import Heads from "./training/Heads.svelte";
import Probe from "./Probe.svelte";
import Environment from "./training/Environment.svelte";
import Deciles from "./training/Deciles.svelte";
import Speak from "./Speak.svelte";
import Substitution from "./training/Substitution.svelte";
import Transplant from "./Transplant.svelte";
import WhatIf from "./WhatIf.svelte";
import Rotation from "./Rotation.svelte";

export interface ExperimentProps {
  questions: Questions<StoredAnswer>;
  /** Settings of the last question, or those from a link. */
  settings: AskSettings;
  /** The step displayed. */
  step: number;
  /** Asks a question; null for a viewer. */
  ask: ((question: ExaminationQuestion) => void) | null;
}

/** Exports of an experiment: the question for a prompt and a step, with the settings of its fields. */
export interface ExperimentExports {
  question(prompt: string, step: number): ExaminationQuestion;
}

/** The panel of each kind of question. */
export const EXPERIMENT_PANELS: Record<
  ExperimentName,
  Component<ExperimentProps, ExperimentExports>
> = {
  speak: Speak,
  what_if: WhatIf,
  transplant: Transplant,
  probe: Probe,
  rotation: Rotation,
  heads: Heads,
  acquisition: Acquisition,
  bench: Bench,
  batch_sizes: BatchSizes,
  environment: Environment,
  deciles: Deciles,
  substitution: Substitution,
};
