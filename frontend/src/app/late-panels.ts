/**
 * The lab, the questions to the model, the microscope, the claims, the course and its teacher's pages, the
 * game, the runs and the help. They load together when one of them first opens, because separate scripts
 * would be larger.
 */

import AskPanel from "../features/ask/AskPanel.svelte";
import ClaimsPanel from "../features/claims/ClaimsPanel.svelte";
import CostPanel from "../features/cost/CostPanel.svelte";
import DifferencePanel from "../features/difference/DifferencePanel.svelte";
import ExperimentsPanel from "../features/ask/ExperimentsPanel.svelte";
import ExportPanel from "../features/export/ExportPanel.svelte";
import GamePanel from "../features/games/GamePanel.svelte";
import GeometryPanel from "../features/geometry/GeometryPanel.svelte";
import MapPanel from "../features/map/MapPanel.svelte";
import MatrixPanel from "../features/matrix/MatrixPanel.svelte";
import Microscope from "../features/microscope/Microscope.svelte";
import MeasuresPanel from "../features/runs/MeasuresPanel.svelte";
import RunPanel from "../features/runs/RunPanel.svelte";
import SetPanel from "../features/sets/SetPanel.svelte";
import StepPanel from "../features/step/StepPanel.svelte";

export { default as Course } from "../features/lessons/Course.svelte";
export { default as TeacherPage } from "../features/lessons/TeacherPage.svelte";
export { default as ClassPanel } from "../features/classroom/ClassPanel.svelte";
export { default as ClassPresenter } from "../features/classroom/ClassPresenter.svelte";
export { default as DropTarget } from "../features/runs/importing/DropTarget.svelte";
export { default as RunsPanel } from "../features/runs/RunsPanel.svelte";
export { default as ForkForm } from "../features/forks/ForkForm.svelte";
export { default as Shortcuts } from "./Shortcuts.svelte";

/** The panels that cover the window, by name. */
export const COVERING_PANELS = { microscope: Microscope, claims: ClaimsPanel, seeds: SetPanel };

/** The panels about a whole run, not about a choice in it, by name. */
export const GENERAL_PANELS = {
  ask: AskPanel,
  geometry: GeometryPanel,
  difference: DifferencePanel,
  game: GamePanel,
};

/** The panels of the lab, by name. */
export const LAB_PANELS = {
  step: StepPanel,
  matrix: MatrixPanel,
  measures: MeasuresPanel,
  experiments: ExperimentsPanel,
  cost: CostPanel,
  map: MapPanel,
  run: RunPanel,
  export: ExportPanel,
};
