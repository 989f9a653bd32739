/** Formats of fractions in the page's language. */

import { decimal, fixed } from "./numbers";

/** Return a fraction as a whole percentage, rounded neither to nothing nor to the whole. */
export function percent(share: number): string {
  if (share > 0 && share < 0.005) return "<\u00a01\u00a0%";
  return share >= 0.995 && share < 1 ? ">\u00a099\u00a0%" : `${Math.round(100 * share)}\u00a0%`;
}

/** Return a fraction as a percentage with enough digits to tell small ones apart. */
export function fine(share: number): string {
  const hundred = 100 * share;
  if (hundred > 0 && hundred < 0.05) return `<\u00a0${decimal("0.1")}\u00a0%`;
  return hundred < 9.95 ? `${fixed(hundred, 1)}\u00a0%` : percent(share);
}

/** Return a fraction as a percentage with enough digits to tell it from the whole. */
export function whole(share: number): string {
  const hundred = 100 * share;
  if (hundred < 99 || share >= 1) return percent(share);
  return hundred < 99.995
    ? `${decimal(+hundred.toFixed(2))}\u00a0%`
    : `>\u00a0${decimal("99.99")}\u00a0%`;
}

/** Return a fraction as a percentage with three significant digits, and more of them close to the whole. */
export function precise(share: number): string {
  const hundred = 100 * share;
  return hundred > 99 ? whole(share) : `${decimal(+hundred.toPrecision(3))}\u00a0%`;
}

/** Return a fraction as so many in ten, all ten only for the whole. */
export const inTen = (share: number) =>
  decimal(share < 1 ? Math.min(9.9, +(10 * share).toFixed(1)) : 10);
