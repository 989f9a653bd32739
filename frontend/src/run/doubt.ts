/** How far single tokens are to be trusted where they are shown (`docs/wire.md`, by_token). Pure. */

import type { Layout } from "../wire/frames";

/** Trust of its own below which a token does not belong where it is shown. */
export const DOUBTFUL = 0.25;

/** From 0 to 1; null where the layout does not say. */
export function trustOf(layout: Layout | null, id: number): number | null {
  const own = layout?.byToken?.[id];
  return own === undefined ? null : own / 255;
}

/** Of every token; NaN where the layout does not say. */
export function trustsOf(layout: Layout | null, tokens: number): Float32Array {
  return Float32Array.from({ length: tokens }, (_, id) => trustOf(layout, id) ?? NaN);
}

/** The tokens that do not belong where they are shown; null where the layout does not say. */
export function doubtfulIn(layout: Layout | null): number[] | null {
  if (!layout?.byToken) return null;
  const found: number[] = [];
  layout.byToken.forEach((own, id) => {
    if (own < 255 * DOUBTFUL) found.push(id);
  });
  return found;
}
