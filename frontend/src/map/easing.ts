/** Easing curves: how a beat's light rises and fades, and how the map glides. Pure. */

/** Duration of a glide between layouts, in ms. */
export const GLIDE_MS = 600;

/** Rise time of a beat's light, in ms. */
const RISE = 70;
export const GENTLE_RISE_MS = 260;
/**
 * Brightness that a beat keeps until the next one, so that the map is never dark. It applies only to the
 * beat's own rows: the map never shows more rows lit than one step lit.
 */
export const AFTERGLOW = 0.25;

/**
 * Return the brightness (0 to 1) of a beat `age` ms old that lasts `duration` ms. By its end it fades to its
 * afterglow, or to `held`, which keeps it lit until the next beat. It also rises from the afterglow: a row
 * that is lit again does not go dark in between.
 */
export function beatBrightness(
  age: number,
  duration: number,
  held: number,
  gentle: boolean,
): number {
  const rise = gentle ? GENTLE_RISE_MS : RISE;
  if (age < 0) return Math.max(held, AFTERGLOW);
  if (age < rise) return AFTERGLOW + (1 - AFTERGLOW) * smoothstep(age / rise);
  const left = 1 - Math.min(1, (age - rise) / Math.max(1, duration - rise));
  const fall = gentle ? smoothstep(left) : left ** 2;
  return Math.max(held, AFTERGLOW + (1 - AFTERGLOW) * fall);
}

/** Return the progress of a glide that began `age` ms ago, 0 to 1. */
export function glideProgress(age: number, still: boolean): number {
  return still || age >= GLIDE_MS ? 1 : smoothstep(Math.max(0, age) / GLIDE_MS);
}

/** Minimum brightness of a row of the batch, even with a tiny gradient. */
export const MIN_STRENGTH = 0.3;
/** Brightness of the rows of a batch whose gradients are not recorded. */
const UNKNOWN_STRENGTH = 0.7;

/**
 * Return the brightness of each row by its gradient norm, scaled so that the median is visible and the
 * strongest stand out. A row without a known norm (NaN) has the minimum.
 */
export function lampStrengths(norms: Float32Array): Float32Array {
  const strengths = new Float32Array(norms.length);
  let known = 0;
  for (const norm of norms) if (!Number.isNaN(norm)) strengths[known++] = norm;
  // If no norm is known, all rows that were read are lit alike.
  if (!known) return strengths.fill(UNKNOWN_STRENGTH);
  const sorted = strengths.subarray(0, known).sort();
  const top = sorted[Math.floor(0.98 * (known - 1))] || sorted[known - 1] || 1;
  // A loop, since calling a function for each row of a large batch takes a tenth of a frame's time.
  for (let i = 0; i < norms.length; i++) {
    const share = Math.sqrt(Math.min(1, (norms[i] || 0) / top));
    strengths[i] = Math.min(1, MIN_STRENGTH + (1 - MIN_STRENGTH) * share);
  }
  return strengths;
}

/** Share of the text from which a word's halo shrinks. */
const COMMON = 0.0005;
/** Minimum share of a halo that is left. */
const MIN_HALO = 0.1;

/**
 * Return one byte per token: the share of its halo when lit, 255 for all of it. It shrinks as the count grows
 * for words that are lit in nearly every step, as they would outshine the rest.
 */
export function haloShares(counts: Float64Array): Uint8Array {
  const all = counts.reduce((sum, count) => sum + count, 0);
  const usual = all * Math.max(COMMON, 2 / counts.length);
  // A comparison with NaN, an unknown count, is false.
  return Uint8Array.from(counts, (count) =>
    count > usual ? 255 * Math.max(MIN_HALO, usual / count) : 255,
  );
}

/** Return the smoothstep of a fraction, which is clamped to 0 to 1. */
export function smoothstep(part: number): number {
  const x = Math.max(0, Math.min(1, part));
  return x * x * (3 - 2 * x);
}
