/**
 * The lab, the questions to the model, the microscope, the claims, the course and its pages for the teacher, the game, the
 * runs and the help: they load together when one of them is first opened, for a script each would weigh more.
 */

import AskPanel from "../ask/AskPanel.svelte";
import ClaimsPanel from "../claims/ClaimsPanel.svelte";
import CostPanel from "../cost/CostPanel.svelte";
import ExportPanel from "../export/ExportPanel.svelte";
import MapPanel from "../map/MapPanel.svelte";
import MatrixPanel from "../matrix/MatrixPanel.svelte";
import Microscope from "../microscope/Microscope.svelte";
import MeasuresPanel from "../run/MeasuresPanel.svelte";
import RunPanel from "../run/RunPanel.svelte";
import StepPanel from "../step/StepPanel.svelte";

export { AskPanel };
export { default as GeometryPanel } from "../geometry/GeometryPanel.svelte";
export { default as GamePanel } from "../game/GamePanel.svelte";
export { default as Course } from "../lessons/Course.svelte";
export { default as TeacherPage } from "../lessons/TeacherPage.svelte";
export { default as ClassPanel } from "../classroom/ClassPanel.svelte";
export { default as ClassPresenter } from "../classroom/ClassPresenter.svelte";
export { default as RunsPanel } from "../run/RunsPanel.svelte";
export { default as Shortcuts } from "./Shortcuts.svelte";

/** The panels that take the window, by name. */
export const COVERING_PANELS = { microscope: Microscope, claims: ClaimsPanel };

/** The panels of the lab, by name. */
export const LAB_PANELS = {
  step: StepPanel,
  matrix: MatrixPanel,
  measures: MeasuresPanel,
  cost: CostPanel,
  map: MapPanel,
  run: RunPanel,
  export: ExportPanel,
};
