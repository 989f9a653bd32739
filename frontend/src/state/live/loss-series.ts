/** Loss, layer norms and coverage by step, thinned to keep long runs small. Pure. */

import type { PassedSteps } from "../../api/rest-types";

export interface LossChartData {
  steps: number[];
  losses: number[];
  /** The losses, smoothed over neighbouring points. */
  smooth: number[];
  /** By layer, then by point. */
  norms: number[][];
  /** Rows that were in a batch at least once so far; null if not known. */
  ever: (number | null)[];
}

export interface LossPoint {
  attempt: number;
  step: number;
  loss: number;
  norms: ArrayLike<number>;
  ever: number | null;
}

/** Limit on the points; at least half as many are kept. No chart of the page is wide enough to show more. */
const MAX_POINTS = 1_200;

/** Return the points of the steps between two beats. */
export function passedPoints({
  attempt,
  steps,
  losses,
  norms,
  ever_rows,
}: PassedSteps): LossPoint[] {
  return steps.map((step, i) => ({
    ...{ attempt, step, loss: losses[i] ?? NaN, ever: ever_rows[i] ?? null },
    norms: (norms[i] ?? []).map((norm) => norm ?? NaN),
  }));
}

export class LossSeries {
  private points: LossPoint[] = [];
  /** Steps in a bin. Each bin keeps its lowest and its highest loss, so that outliers stay. */
  private binSize = 1;

  constructor(private readonly maxPoints = MAX_POINTS) {}

  /** Load the record. Newer points stay, including those of a newer attempt. */
  load(points: LossPoint[]) {
    const known = this.points;
    this.points = [...points].sort((a, b) => a.step - b.step);
    this.binSize = 1;
    this.thin();
    const { attempt, step } = this.points.at(-1) ?? { attempt: 0, step: -1 };
    for (const one of known) {
      if (one.attempt > attempt || (one.attempt === attempt && one.step > step)) this.addPoint(one);
    }
  }

  /** Add a step, and return whether it is new. A later attempt replaces the same steps of an earlier one. */
  addPoint(point: LossPoint): boolean {
    const last = this.points.at(-1);
    if (last && point.attempt > last.attempt) {
      this.points = this.points.filter(({ step }) => step < point.step);
    } else if (last && point.step <= last.step) {
      return false;
    }
    this.points.push(point);
    const open = this.binOf(point);
    const first = this.points.findLastIndex((one) => this.binOf(one) !== open) + 1;
    this.points.push(...extremes(this.points.splice(first)));
    this.thin();
    return true;
  }

  /** Return the lines of all points, or of those up to `end`, which may have been thinned out since. */
  chartData(end: LossPoint | null = null): LossChartData {
    const points = end ? [...this.points.filter(({ step }) => step < end.step), end] : this.points;
    const losses = points.map(({ loss }) => loss);
    const layers = points.reduce((most, { norms }) => Math.max(most, norms.length), 0);
    return {
      steps: points.map(({ step }) => step),
      losses,
      smooth: smoothed(losses),
      norms: Array.from({ length: layers }, (_, layer) =>
        points.map(({ norms }) => norms[layer] ?? NaN),
      ),
      ever: points.map(({ ever }) => ever),
    };
  }

  private binOf({ step }: LossPoint): number {
    return Math.floor(step / this.binSize);
  }

  private thin() {
    while (this.points.length > this.maxPoints) {
      this.binSize *= 2;
      const kept: LossPoint[] = [];
      let group: LossPoint[] = [];
      for (const point of this.points) {
        if (group[0] && this.binOf(group[0]) !== this.binOf(point)) {
          kept.push(...extremes(group));
          group = [];
        }
        group.push(point);
      }
      this.points = [...kept, ...extremes(group)];
    }
  }
}

/**
 * Return the points with the lowest and the highest loss, in order. NaN and Infinity rank highest.
 */
function extremes(points: LossPoint[]): LossPoint[] {
  if (points.length <= 2) return points;
  const height = ({ loss }: LossPoint) => (Number.isFinite(loss) ? loss : Infinity);
  let low = 0;
  let high = 0;
  points.forEach((point, i) => {
    if (height(point) < height(points[low]!)) low = i;
    if (height(point) >= height(points[high]!)) high = i;
  });
  return points.filter((_, i) => i === low || i === high);
}

/** Return a moving average over a symmetric window, so that it does not lag. */
export function smoothed(values: number[], reach = Math.ceil(values.length / 60)): number[] {
  const sums = [0];
  const counts = [0];
  values.forEach((value, i) => {
    const good = Number.isFinite(value);
    sums.push(sums[i]! + (good ? value : 0));
    counts.push(counts[i]! + (good ? 1 : 0));
  });
  return values.map((_, i) => {
    const side = Math.min(reach, i, values.length - 1 - i);
    const [from, to] = [i - side, i + side + 1];
    return (sums[to]! - sums[from]!) / (counts[to]! - counts[from]!);
  });
}
