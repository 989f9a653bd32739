/** The height of each column of the skyline, one number a token. Pure. */

import { NEVER, type Layout } from "../../api/frames";
import type { Vocabulary } from "../../api/vocabulary";
import type { TouchCounts } from "../../model/touch-counts";
import type { HeightMeasure } from "../../model/view-options";

/** Measures that are requested from the server because no frame carries them. */
export type ServerMeasure = "norm" | "moved";

export function isServerMeasure(height: HeightMeasure): height is ServerMeasure {
  return height === "norm" || height === "moved";
}

/** Return whether a measure is on a logarithmic scale, as counts and ages spread over decades. */
export function isLogarithmic(height: HeightMeasure): boolean {
  return height === "touches" || height === "since" || height === "frequency";
}

/** The inputs that heights are computed from. */
interface HeightInputs {
  vocabulary: Vocabulary;
  touchCounts: TouchCounts | null;
  layout: Layout | null;
  /** Values from the server, by token id; null until they arrive. */
  serverValues: Float32Array | null;
}

/** Return the heights by token id; NaN where not known. */
export function computeHeights(
  height: HeightMeasure,
  { vocabulary, touchCounts, layout, serverValues }: HeightInputs,
) {
  const count = vocabulary.tokens.length;
  const heights = new Float32Array(count).fill(NaN);
  const fill = (of: (id: number) => number) => {
    for (let id = 0; id < count; id++) heights[id] = of(id);
  };
  if (height === "frequency") fill((id) => vocabulary.counts[id]!);
  else if (isServerMeasure(height)) {
    if (serverValues?.length === count) heights.set(serverValues);
  } else if (height === "trust") {
    const own = layout?.byToken;
    if (own?.length === count) fill((id) => own[id]! / 255);
  } else if (touchCounts?.vocabulary === count && !touchCounts.unread) {
    const { touches, lastLit, gradient, step } = touchCounts;
    if (height === "touches") fill((id) => touches[id]!);
    else if (height === "gradient") heights.set(gradient);
    else fill((id) => (lastLit[id] === NEVER ? NaN : Math.max(0, step - lastLit[id]!)));
  }
  return heights;
}
