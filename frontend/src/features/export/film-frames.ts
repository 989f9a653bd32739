/** The steps of a film, fetched from the record: the lit rows and the layout of each. */

import {
  NEVER,
  type Census,
  type Districts,
  type Frame,
  type Layout,
  type LayoutMethod,
} from "../../api/frames";
import { requestFrames } from "../../api/frame-request";
import { runPath } from "../../api/rest";
import { ApiError } from "../../api/failure";
import type { Beat } from "../../api/beat-frames";
import type { ColourBy } from "../../model/view/view-options";
import { fetchDisplacements } from "../../state/tokens/displacements";
import { trustByToken } from "../../state/tokens/token-trust";
import { stepsSinceLit } from "../../state/view/colour-scales";
import { lightOfBeat, type StepLight } from "../../model/light";

/** Limit on the steps of a film. */
export const MAX_FILM_STEPS = 600;
/** Limit on parallel requests to the server. */
const MAX_PARALLEL = 4;

interface FilmStep {
  step: number;
  /** The rows that the step lit; null for the state before the first step. */
  beat: StepLight | null;
  layout: Layout;
  districts: Districts | null;
  /** Values of the colouring at this step, by token id; null unless it is a quantity that changes. */
  values: Float32Array | null;
  /** First and last step of a distance; null for other colourings. */
  over: { from: number; to: number } | null;
}

/** The colouring of a film; distances reach back `over` steps, 0: to the start. */
export interface FilmColouring {
  by: ColourBy;
  over: number;
}

/** Return the steps from `from` to `to`, `every` apart; `heldAt` replaces each by a step that can be shown. */
export function stepsBetween(
  from: number,
  to: number,
  every: number,
  heldAt = (step: number) => step,
): number[] {
  const steps = new Set<number>();
  for (let step = from; step <= to; step += every) steps.add(heldAt(step));
  return [...steps];
}

/**
 * Fetch the steps of a film on the map of a view: the layouts made live or, with `reprojected`, the
 * reprojected ones. Steps before the first layout are left out. Throws `ApiError` or the abort reason.
 */
export async function fetchFilmSteps(
  run: string,
  steps: number[],
  method: LayoutMethod,
  reprojected: boolean,
  { by, over }: FilmColouring,
  signal: AbortSignal,
  progress: (share: number) => void,
): Promise<FilmStep[]> {
  const set = reprojected ? "&set=again" : "";
  const layouts = new Map<string, Layout>();
  const found = new Map<string, Districts>();
  const reuse = <T extends Layout | Districts>(known: Map<string, T>, one: T): T => {
    const key = `${one.attempt} ${one.step}`;
    if (!known.has(key)) known.set(key, one);
    return known.get(key)!;
  };
  const out: (FilmStep & { told: Beat | null })[] = [];
  let [next, done] = [0, 0];
  async function fetchNextSteps() {
    while (next < steps.length) {
      const i = next++;
      const step = steps[i]!;
      const census = by === "since" ? "&census=true" : "";
      const path = `steps?from=${step}&to=${step}&every=1&format=frame${census}`;
      const [frames, [layout], [districts], moved] = await Promise.all([
        step ? fetchFrames(run, path, signal) : [],
        fetchFrames(run, `layouts/${step}?method=${method}&format=frame${set}`, signal),
        fetchFrames(run, `districts?step=${step}&format=frame`, signal),
        by === "moved" ? fetchDisplacements(run, step, over, signal) : null,
      ]);
      const told = (frames.at(-1) as Beat | undefined) ?? null;
      if (!told && step) throw new ApiError(404, { code: "noStep", step });
      progress(++done / steps.length);
      if (!layout) continue;
      out[i] = {
        step,
        told,
        beat: told && lightOfBeat(told, 0, 0),
        layout: reuse(layouts, layout as Layout),
        districts: districts ? reuse(found, districts as Districts) : null,
        values: valuesOf(frames[0] as Census, told, layout as Layout) ?? moved?.distances ?? null,
        over: moved && { from: moved.from, to: moved.to },
      };
    }
  }
  await Promise.all(Array.from({ length: MAX_PARALLEL }, fetchNextSteps));
  const shown = out.filter(Boolean);
  if (!shown.length) throw new ApiError(404, { code: "noSuchMap" });
  if (by === "gradient") fillGradients(shown);
  return shown;

  function valuesOf(census: Census, told: Beat | null, layout: Layout): Float32Array | null {
    if (by === "trust") return trustByToken(layout, layout.vocabulary);
    if (by !== "since") return null;
    const last = told ? census.lastLit.slice() : new Uint32Array(layout.vocabulary).fill(NEVER);
    for (const id of told?.batchIds ?? []) last[id] = told!.step;
    return stepsSinceLit(last, NEVER, told?.step ?? 0);
  }
}

/** Fill in each row's gradient norm from the last film step that gave it one; NaN before the first. */
function fillGradients(steps: (FilmStep & { told: Beat | null })[]) {
  const norms = new Float32Array(steps[0]!.layout.vocabulary).fill(NaN);
  for (const step of steps) {
    const { told } = step;
    told?.batchIds.forEach((id, at) => (norms[id] = told.gradientNorms[at] || norms[id]!));
    told?.gradients?.ids.forEach((id, at) => (norms[id] = told.gradients!.norms[at]!));
    step.values = norms.slice();
  }
}

/** Fetch frames; return none for a 404. Throws `ApiError` or the abort reason. */
async function fetchFrames(run: string, path: string, signal: AbortSignal): Promise<Frame[]> {
  try {
    return await requestFrames(runPath(run, path), signal);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return [];
    throw error;
  }
}
