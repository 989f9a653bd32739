/**
 * Falloff of a lamp's light, in design pixels, and shading of the land. The shaders are generated from it.
 * Pure.
 *
 * A falloff of `peak * exp(-r^2 / wide)` holds `pi * peak * wide` of light.
 */

/**
 * An unlit lamp: a core with its tone-mapped peak, times `(1 - r^2 / reach^2)^3`. It shows two fifths of
 * its tint, so that a lit one stands out in the densest cluster; on light land, where bright rooms wash it out,
 * more (`darkPeak`).
 */
export const CORE = { peak: 0.4, darkPeak: 0.7, reach: 2.4 } as const;
/** Share of the grey in a tint that glow on light land keeps. */
export const GREY = 0.15;
/** The wide, faint halo around every lamp. */
export const HALO = { peak: 0.04, wide: 16 } as const;
/** A lit lamp: a bright core, warmer than its tint, and a glow; both end at `reach`. */
export const LIT = { peak: 2.6, wide: 3.2, glow: 0.36, glowWide: 26, reach: 11 } as const;
/**
 * The bloom of a lit lamp: a near part, and a far one that falls off as `exp(-r / farWide)`. It extends to
 * `reach`, and by up to `further` more with its strength.
 */
export const BLOOM = {
  near: 0.085,
  nearWide: 190,
  far: 0.02,
  farWide: 16,
  reach: 13,
  further: 27,
} as const;

/**
 * Weight of lamplight in the colour of a lit lamp, beside its tint: in the core, and less further out.
 */
export const WARM = { core: 0.72, glow: 0.5, bloom: 0.4 } as const;
/**
 * Tone mapping, `1 - exp(-gain * light)`: applied to the brightest channel, which keeps tints, and with
 * weight `each` to every channel alone.
 */
export const TONE_MAPPING = { gain: 1.5, each: 0.3 } as const;

/**
 * Land: `sea` is the height at which it begins, `lines` the number of contour lines per unit of height,
 * `risen` the height at which night has fully become land, `hills` the range over which contour colour is
 * added.
 */
export const LAND = {
  sea: 0.14,
  lines: 6.5,
  risen: 0.5,
  hills: { from: 0.3, to: 1.2, share: 0.5 },
  /** Strength of the contour lines, and of the glow along them, which ends at `reach` pixels. */
  line: 0.3,
  glow: 0.06,
  coast: { line: 0.5, glow: 0.24 },
  reach: Math.sqrt(80),
} as const;

/**
 * Side of a cell of the coarse grid, in design pixels. Finer cells would look the same, because halos and
 * blooms are wider.
 */
export const CELL_SIDE = 4;

/** Maximum growth of the lamps: beyond it, zooming in only spreads them out. */
const MAX_GROWTH = 4;

/** Return the enlargement of lamps at a magnification of the whole map, 1 for all of it or less. */
export function lampGrowth(zoom: number): number {
  return Math.min(MAX_GROWTH, Math.sqrt(Math.max(1, zoom)));
}
