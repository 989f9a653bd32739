/**
 * The map of the output matrix: whether it exists, its layout at a step, and the job that draws it. Only the
 * presenter can see the job.
 */

import { decode, type Layout, type LayoutMethod } from "../../api/frames";
import { requestBytes, requestJson, runPath } from "../../api/rest";
import { getSource } from "../../api/source";
import type { LayoutList, Reprojection, Waypoints } from "../../api/rest-types";
import { PolledQuery } from "../query/polled-query.svelte";
import { Query } from "../query/query.svelte";

interface OutputMapState {
  waypoints: Waypoints;
  /** Steps with a layout, ascending. */
  steps: number[];
  /** The job that draws the map; null for a viewer. */
  job: Reprojection | null;
}

/** Poll intervals, in ms: while the map is being drawn, otherwise, and for a viewer who has one. */
const DRAWING_PAUSE = 1_000;
const PAUSE = 10_000;
const VIEWER_PAUSE = 60_000;

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

  /**
   * Show the newest layout at or before a step; null: the newest of all. The previous one stays until it has
   * loaded.
   */
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
    // A redrawn map is a different one, as its time shows.
    this.layoutQuery.ask({ key: `${path} ${this.value?.waypoints.map_time}`, fetch });
  }

  get layout(): Layout | null {
    return this.layoutQuery.value;
  }

  get drawing(): boolean {
    return this.value?.job?.state === "running";
  }

  /** Return the last step with a layout if drawing again would reach a later one; else null. */
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
    if (this.drawing) return DRAWING_PAUSE;
    return this.value?.steps.length && !this.presenter() ? VIEWER_PAUSE : PAUSE;
  }

  protected question() {
    // A file has no output matrix.
    if (getSource().packed) return null;
    const { run, value, presenter } = this;
    const fetch = async (signal: AbortSignal): Promise<OutputMapState> => {
      const [waypoints, job] = await Promise.all([
        requestJson<Waypoints>(runPath(run, "waypoints"), { signal }),
        presenter() ? requestJson<Reprojection>(this.jobPath, { signal }) : null,
      ]);
      // Polling must not count as activity of a person: these two requests do not, the list does.
      const known = waypoints.map_time === (value?.waypoints.map_time ?? null);
      const steps = known ? (value?.steps ?? []) : await this.fetchSteps(signal);
      return { waypoints, steps, job };
    };
    return { key: null, fetch };
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
