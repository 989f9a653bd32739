/** Experiments with the words that one writes: a component for each, which makes its question and shows its answer. */

import type { Component } from "svelte";
import type { ExaminationQuestion } from "../../api/rest-types";
import type { ExperimentName } from "../../model/view-options";
import type { Questions } from "../../state/ask/questions.svelte";
import type { LiveRun } from "../../state/run/live-run.svelte";
import Say from "./Say.svelte";

export interface ExperimentProps {
  run: LiveRun;
  questions: Questions;
  /** The words that were asked about last, or that a link brought; empty: none. */
  prompt: string;
  /** The step displayed. */
  step: number;
  /** Asks about the prompt at a step; null for a viewer. */
  askAt: ((step: number) => void) | null;
}

/** Exports of an experiment: the question about a prompt at a step. */
export interface ExperimentExports {
  question(prompt: string, step: number): ExaminationQuestion;
}

export const EXPERIMENT_PANELS: Record<
  ExperimentName,
  Component<ExperimentProps, ExperimentExports>
> = {
  speak: Say,
};
