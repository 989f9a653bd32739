/**
 * How the light of one lamp falls off around it, in design pixels: what the shaders draw, and the SVG. Pure.
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
  reach: 15,
  further: 40,
} as const;

/** The side of a cell on which what is wide is drawn. Finer would show no more: halos and blooms are wider. */
export const CELL = 4;
