/** The steps of a film: what each of them lit, and where the tokens lay, out of the record. */

import {
  decode,
  type Districts,
  type Frame,
  type Layout,
  type Method,
  type Pulse,
} from "../wire/frames";
import { ask, Refusal, runPath } from "../wire/rest";
import { beatOfPulse, type StepBeat } from "./stepbeat";

/** So many steps a film has at most. */
export const MOST_SHOTS = 600;
/** Questions to the server at a time. */
const AT_ONCE = 4;

export interface Reeled {
  step: number;
  beat: StepBeat;
  layout: Layout;
  districts: Districts | null;
}

/** Every so-manieth step from `from` to `to`. */
export function stepsOf(from: number, to: number, every: number): number[] {
  const steps: number[] = [];
  for (let step = from; step <= to; step += every) steps.push(step);
  return steps;
}

/** Fetch them; throws `Refusal` or the abort. `set`: the layouts as they were made, or those laid out anew. */
export async function reel(
  run: string,
  steps: number[],
  method: Method,
  again: boolean,
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
    const layout = (await frame(run, path, signal)) as Layout | null;
    if (layout) return layout;
    // None is older: the first there is stands for it, and the caption says of which step it is.
    const first = `layouts?method=${method}&limit=1${set}`;
    const { items } = await ask<{ items: { step: number }[] }>(runPath(run, first), { signal });
    const later =
      items[0] &&
      (await frame(run, `layouts/${items[0].step}?method=${method}&format=frame${set}`, signal));
    if (!later) throw new Refusal(404, "This run has no map of that kind.");
    return later as Layout;
  }
  const out: Reeled[] = new Array<Reeled>(steps.length);
  let [next, done] = [0, 0];
  async function work() {
    while (next < steps.length) {
      const i = next++;
      const step = steps[i]!;
      const [pulse, layout, districts] = await Promise.all([
        frame(run, `steps?from=${step}&to=${step}&every=1&format=frame`, signal),
        layoutAt(step),
        frame(run, `districts?step=${step}&format=frame`, signal),
      ]);
      if (!pulse) throw new Refusal(404, `There is no step ${step}.`);
      out[i] = {
        step,
        beat: beatOfPulse(pulse as Pulse, 0, 0),
        layout: same(layouts, layout),
        districts: districts && same(found, districts as Districts),
      };
      progress(++done / steps.length);
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return out;
}

/** One frame, or null where there is none. */
async function frame(run: string, path: string, signal: AbortSignal): Promise<Frame | null> {
  const answer = await fetch(runPath(run, path), { credentials: "same-origin", signal });
  if (answer.status === 404) return null;
  if (!answer.ok) throw new Refusal(answer.status, `${answer.status} ${answer.statusText}`);
  const bytes = await answer.arrayBuffer();
  return bytes.byteLength ? decode(bytes) : null;
}
