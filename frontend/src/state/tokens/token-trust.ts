/** The trust in each token's position on the map (`docs/wire.md`, by_token). Pure. */

import type { Layout } from "../../api/frames";

/** Trust below which a token's position is doubtful. */
const DOUBTFUL = 0.25;

/** Return a token's trust, 0 to 1; null if the layout has none. */
export function tokenTrust(layout: Layout | null, id: number): number | null {
  const own = layout?.byToken?.[id];
  return own === undefined ? null : own / 255;
}

/** Return the trust of every token, 0 to 1; NaN if the layout has none. */
export function trustByToken(layout: Layout | null, tokens: number): Float32Array {
  return Float32Array.from({ length: tokens }, (_, id) => tokenTrust(layout, id) ?? NaN);
}

/** Return the ids of the tokens with doubtful positions; null if the layout has no trust. */
export function doubtfulTokens(layout: Layout | null): number[] | null {
  if (!layout?.byToken) return null;
  const found: number[] = [];
  layout.byToken.forEach((own, id) => {
    if (own < 255 * DOUBTFUL) found.push(id);
  });
  return found;
}
