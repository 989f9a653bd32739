/**
 * The map of the output matrix: whether it is drawn, its layout at a step, and the job that draws it. Only the presenter is
 * told of the job.
 */

import { decode, type Layout, type LayoutMethod } from "../../api/frames";
import { requestBytes, requestJson, runPath } from "../../api/rest";
import type { LayoutList, Reprojection, Waypoints } from "../../api/rest-types";
import { PolledQuery } from "../query/polled-query.svelte";
import { Query } from "../query/query.svelte";

interface OutputMapState {
  waypoints: Waypoints;
  /** Steps that are laid out, ascending. */
  steps: number[];
  /** The job that draws the map; null for a viewer. */
  job: Reprojection | null;
}

/** Pauses between two questions, in ms: while the map is being drawn, and otherwise. */
const DRAWING_PAUSE = 1_000;
const PAUSE = 10_000;

export class OutputMap extends PolledQuery<OutputMapState> {
  private readonly layoutQuery = new Query<Layout>();

  constructor(
    private readonly run: string,
    private readonly presenter: () => boolean,
  ) {
    super();
    this.poll();
  }

  /** Draw the map. */
  startDrawing(): Promise<void> {
    return this.mutate(() => requestJson(this.jobPath, { method: "POST" }));
  }

  cancelDrawing(): Promise<void> {
    return this.mutate(() => requestJson(this.jobPath, { method: "DELETE" }));
  }

  /** Show the newest layout at or before a step; null: the newest of all. The one before stays until it is there. */
  showStep(step: number | null, method: LayoutMethod) {
    const { steps } = this.value ?? { steps: [] };
    const made = steps.findLast((one) => step === null || one <= step);
    if (made === undefined) {
      this.layoutQuery.ask(null);
      return;
    }
    const path = `layouts/${made}?set=output&method=${method}&format=frame`;
    const fetch = async (signal: AbortSignal) =>
      decode(await requestBytes(runPath(this.run, path), { signal })) as Layout;
    // Drawn again it is another one, of which the time tells.
    const drawn = this.value?.job?.made?.time ?? "";
    this.layoutQuery.ask({ key: `${path} ${steps.length} ${drawn}`, fetch });
  }

  get layout(): Layout | null {
    return this.layoutQuery.value;
  }

  get drawing(): boolean {
    return this.value?.job?.state === "running";
  }

  /** Return the last step that is laid out if a map drawn now would go on to a later one; else null. */
  get lastDrawn(): number | null {
    const { steps = [], waypoints } = this.value ?? {};
    const last = steps.at(-1);
    return last !== undefined && last < (waypoints?.last_map_step ?? 0) ? last : null;
  }

  override close() {
    this.layoutQuery.close();
    super.close();
  }

  protected get pollInterval(): number {
    return this.drawing ? DRAWING_PAUSE : PAUSE;
  }

  protected question() {
    const { run, value, presenter } = this;
    const asked = presenter();
    const fetch = async (signal: AbortSignal): Promise<OutputMapState> => {
      const [waypoints, job] = await Promise.all([
        requestJson<Waypoints>(runPath(run, "waypoints"), { signal }),
        asked ? requestJson<Reprojection>(this.jobPath, { signal }) : null,
      ]);
      // What a page asks again and again must not look as if somebody were there: the job tells when the list is another.
      const known = value && job && value.job?.made?.time === job.made?.time;
      return { waypoints, steps: known ? value.steps : await this.fetchSteps(signal), job };
    };
    // What a viewer has need not be asked for again.
    return { key: !asked && value?.steps.length ? "drawn" : null, fetch };
  }

  private async fetchSteps(signal: AbortSignal): Promise<number[]> {
    const path = runPath(this.run, "layouts?set=output&method=umap");
    const { items } = await requestJson<LayoutList>(path, { signal });
    return items.map(({ step }) => step).sort((a, b) => a - b);
  }

  private get jobPath(): string {
    return runPath(this.run, "output-map");
  }
}
