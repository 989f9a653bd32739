/**
 * How the light of one lamp falls off around it, in design pixels, and how land is shaded: what the shaders draw, and
 * the SVG. Pure.
 *
 * A fall of `peak * exp(-r^2 / wide)` holds `pi * peak * wide` of light.
 */

/** A lamp asleep: a core that is seen as its peak is, times `(1 - r^2 / reach^2)^3`. */
export const CORE = { peak: 0.7, reach: 2.2 } as const;
/** The wide, faint halo around every lamp. */
export const HALO = { peak: 0.055, wide: 16 } as const;
/** A lit lamp: a bright core, paler than its tint, and a glow; both have ended at `reach`. */
export const LIT = { peak: 2.2, wide: 2.6, glow: 0.4, glowWide: 24, reach: 10 } as const;
/** And its bloom: near, and far, which falls off as `exp(-r / farWide)`; it reaches `reach`, and further if it is strong. */
export const BLOOM = {
  near: 0.12,
  nearWide: 190,
  far: 0.035,
  farWide: 16,
  reach: 13,
  further: 27,
} as const;

/** Light near a lit lamp is paler than its tint: so much of its core, and so much of that of its glow. */
export const PALE = { tint: [1, 0.97, 0.92], core: 0.6, glow: 0.3 } as const;
/** The soft shoulder, `1 - exp(-gain * light)`: bent as a whole so that tints stay, and so much of it each channel alone. */
export const EYE = { gain: 1.5, each: 0.3 } as const;

/** Height at which land begins and contour lines to a unit of height; how fully night becomes land, and land contour. */
export const LAND = {
  sea: 0.14,
  lines: 6.5,
  risen: 0.5,
  hills: { from: 0.3, to: 1.2, share: 0.5 },
  /** How much of the contour's ink the lines have, and the glow along them, which has ended at `reach` pixels. */
  line: 0.3,
  glow: 0.06,
  coast: { line: 0.5, glow: 0.24 },
  reach: Math.sqrt(80),
} as const;

/** The side of a cell on which what is wide is drawn. Finer would show no more: halos and blooms are wider. */
export const CELL = 4;
