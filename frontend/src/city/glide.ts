/** How the light of a beat comes and goes, and how the city glides. Pure. */

/** Milliseconds from one layout to the next. */
export const GLIDE = 600;

/** Milliseconds in which a beat's light comes up. */
const RISE = 70;
export const GENTLE_RISE = 260;

/**
 * Brightness (0 to 1) of a beat `age` ms old that lasts `lasting` ms. It is gone when the beat is over,
 * but for what is `held` because no other beat is coming.
 */
export function glowAt(age: number, lasting: number, held: number, gentle: boolean): number {
  const rise = gentle ? GENTLE_RISE : RISE;
  if (age < 0) return held;
  if (age < rise) return smooth(age / rise);
  const left = 1 - Math.min(1, (age - rise) / Math.max(1, lasting - rise));
  const fall = gentle ? smooth(left) : left ** 1.4;
  return Math.max(held, fall);
}

/** How far a glide that began `age` ms ago has come, 0 to 1. */
export function glideAt(age: number, still: boolean): number {
  return still || age >= GLIDE ? 1 : smooth(Math.max(0, age) / GLIDE);
}

/** What a row of the batch shines with at least, whatever its gradient. */
export const FLOOR = 0.22;

/**
 * Brightness of each row by its gradient norm: the median row is seen, the strongest stand out. A row whose
 * norm is not known (NaN) has the least.
 */
export function strengths(norms: Float32Array): Float32Array {
  const sorted = norms.filter((norm) => !Number.isNaN(norm)).sort();
  const top = sorted[Math.floor(0.98 * (sorted.length - 1))] || sorted[sorted.length - 1] || 1;
  return norms.map((norm) =>
    Math.min(1, FLOOR + (1 - FLOOR) * Math.sqrt(Math.min(1, (norm || 0) / top))),
  );
}

export function smooth(part: number): number {
  const x = Math.max(0, Math.min(1, part));
  return x * x * (3 - 2 * x);
}
