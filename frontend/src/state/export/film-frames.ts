/** The steps of a film, fetched from the record: what each of them lit, and its layout. */

import {
  decodeAll,
  NEVER,
  type Census,
  type Districts,
  type Frame,
  type Layout,
  type Method,
  type Pulse,
} from "../../api/frames";
import { askNumbers } from "../../api/npy";
import { ask, runPath } from "../../api/rest";
import { Refusal, said } from "../../api/failure";
import type { ColourBy } from "../../model/view-options";
import { trustsOf } from "../tokens/token-trust";
import { agesOf } from "../view/colour-scales";
import { beatOfPulse, type StepBeat } from "../../model/step-beat";

/** Limit on the steps of a film. */
export const MOST_SHOTS = 600;
/** Parallel requests to the server. */
const AT_ONCE = 4;

export interface Reeled {
  step: number;
  beat: StepBeat;
  layout: Layout;
  districts: Districts | null;
  /**
   * Values of the colouring at this step, by token id; null unless it is a quantity that changes.
   */
  values: Float32Array | null;
  /** First and last step of a distance; null for other colourings. */
  over: { from: number; to: number } | null;
}

/** The colouring of a film; distances reach back `over` steps, 0: to the start. */
export interface Tinting {
  by: ColourBy;
  over: number;
}

/** Return the steps from `from` to `to`, `every` apart. */
export function stepsOf(from: number, to: number, every: number): number[] {
  const steps: number[] = [];
  for (let step = from; step <= to; step += every) steps.push(step);
  return steps;
}

/**
 * Fetch the steps of a film, with the layouts made live or, with `reprojected`, the reprojected
 * ones. Throws `ApiError`, or the abort.
 */
export async function reel(
  run: string,
  steps: number[],
  method: Method,
  again: boolean,
  { by, over }: Tinting,
  signal: AbortSignal,
  progress: (share: number) => void,
): Promise<Reeled[]> {
  const set = again ? "&set=again" : "";
  const layouts = new Map<string, Layout>();
  const found = new Map<string, Districts>();
  const same = <T extends Layout | Districts>(known: Map<string, T>, one: T): T => {
    const key = `${one.attempt} ${one.step}`;
    if (!known.has(key)) known.set(key, one);
    return known.get(key)!;
  };
  async function layoutAt(step: number): Promise<Layout> {
    const path = `layouts/${step}?method=${method}&format=frame${set}`;
    const [layout] = (await frames(run, path, signal)) as Layout[];
    if (layout) return layout;
    // No layout is older: use the first one; the caption names its step.
    const first = `layouts?method=${method}&limit=1${set}`;
    const { items } = await ask<{ items: { step: number }[] }>(runPath(run, first), { signal });
    const [later] = items[0]
      ? await frames(run, `layouts/${items[0].step}?method=${method}&format=frame${set}`, signal)
      : [];
    if (!later) throw new Refusal(404, { code: "noSuchMap" });
    return later as Layout;
  }
  const out: Reeled[] = new Array<Reeled>(steps.length);
  const pulses = new Array<Pulse>(steps.length);
  let [next, done] = [0, 0];
  async function work() {
    while (next < steps.length) {
      const i = next++;
      const step = steps[i]!;
      const census = by === "since" ? "&census=true" : "";
      const light = `steps?from=${step}&to=${step}&every=1&format=frame${census}`;
      const [told, layout, [districts], moved] = await Promise.all([
        frames(run, light, signal),
        layoutAt(step),
        frames(run, `districts?step=${step}&format=frame`, signal),
        by === "moved" ? distances(step) : null,
      ]);
      const pulse = told.at(-1) as Pulse | undefined;
      if (!pulse) throw new Refusal(404, { code: "noStep", step });
      pulses[i] = pulse;
      out[i] = {
        step,
        beat: beatOfPulse(pulse, 0, 0),
        layout: same(layouts, layout),
        districts: districts ? same(found, districts as Districts) : null,
        values: valuesOf(told[0] as Census, pulse, layout) ?? moved?.numbers ?? null,
        over: moved && { from: moved.from, to: moved.to },
      };
      progress(++done / steps.length);
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  if (by === "gradient") remember(out, pulses);
  return out;

  function valuesOf(census: Census, pulse: Pulse, layout: Layout): Float32Array | null {
    if (by === "trust") return trustsOf(layout, layout.vocabulary);
    if (by !== "since") return null;
    const last = census.lastLit.slice();
    for (const id of pulse.batchIds) last[id] = pulse.step;
    return agesOf(last, NEVER, pulse.step);
  }

  async function distances(step: number) {
    const from = over ? Math.max(0, step - over) : 0;
    const path = `displacements?from=${from}&to=${step}&nearest=true&format=npy`;
    const { numbers, headers } = await askNumbers(runPath(run, path), signal);
    const told = (name: string) => Number(headers.get(`X-Lamplighter-${name}`));
    return { numbers, from: told("From"), to: told("Step") };
  }
}

/**
 * Fill in the norm of each row's gradient at the last step of the film that gave it one; NaN before
 * the first.
 */
function remember(shots: Reeled[], pulses: Pulse[]) {
  const norms = new Float32Array(pulses[0]?.vocabulary ?? 0).fill(NaN);
  pulses.forEach(({ gradientIds, gradientNorms }, i) => {
    gradientIds.forEach((id, at) => (norms[id] = gradientNorms[at]!));
    shots[i]!.values = norms.slice();
  });
}

/** Fetch frames; return none for a 404. Throws `ApiError`, or the abort. */
async function frames(run: string, path: string, signal: AbortSignal): Promise<Frame[]> {
  const answer = await fetch(runPath(run, path), { credentials: "same-origin", signal });
  if (answer.status === 404) return [];
  if (!answer.ok) throw new Refusal(answer.status, said(`${answer.status} ${answer.statusText}`));
  return decodeAll(await answer.arrayBuffer());
}
