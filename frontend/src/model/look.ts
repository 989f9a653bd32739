/**
 * The part of the flat map in view, in terms that outlive a layout: a district, or a position as fractions of
 * the layout's extent. Pure.
 */

/** A position on the map. */
export interface LookPlace {
  /** Middle of the view as fractions of the layout's extent: 0, 0 is its lower left corner. */
  readonly x: number;
  readonly y: number;
  /** Magnification relative to the whole map. */
  readonly zoom: number;
}

export type Look = { readonly district: number } | LookPlace;

const [MIN_ZOOM, MAX_ZOOM] = [0.1, 10_000];

/** Return the position for any finite numbers: moved onto the map, and rounded to visible precision. */
export function lookPlace(x: number, y: number, zoom: number): LookPlace {
  const magnified = clamp(Number(zoom.toPrecision(4)), MIN_ZOOM, MAX_ZOOM);
  const unit = 10 ** (4 + Math.max(0, Math.ceil(Math.log10(magnified))));
  const part = (value: number) => Math.round(clamp(value, 0, 1) * unit) / unit;
  return { x: part(x), y: part(y), zoom: magnified };
}

/** Format a look for a link: `district:7`, or `x,y,zoom`. */
export function formatLook(look: Look): string {
  return "district" in look
    ? `district:${look.district}`
    : [look.x, look.y, look.zoom].map(decimal).join();
}

/** Parse a look from a link; positions beyond the map are moved onto it. Return null for anything else. */
export function parseLook(word: string): Look | null {
  const district = /^district:(\d{1,9})$/.exec(word);
  if (district) return { district: Number(district[1]) };
  const number = String.raw`(\d{1,5}(?:\.\d{1,9})?)`;
  const place = new RegExp(`^${number},${number},${number}$`).exec(word);
  return place && lookPlace(Number(place[1]), Number(place[2]), Number(place[3]));
}

/** Format a number without an exponent. */
function decimal(value: number): string {
  return value.toFixed(9).replace(/\.?0+$/, "");
}

function clamp(value: number, least: number, greatest: number): number {
  return Math.max(least, Math.min(greatest, value));
}
