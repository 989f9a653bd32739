/** Ink and tints. Tints are Okabe and Ito's colours, lightened for the night; never the only sign. */

export const INK = {
  night: "#0a0e1c",
  land: "#12203c",
  contour: "#1b2848",
  text: "#d7e0f5",
  quiet: "#8fa3c8",
  lamp: "#ffe9c4",
  doubt: "#ff8f6b",
} as const;

export const TINTS = [
  "#ffc06a", // amber
  "#6fc6ff", // sky
  "#4fe0b0", // green
  "#f49ad6", // pink
  "#fff0a0", // yellow
  "#8ea8ff", // blue
  "#ff8f6b", // vermilion
  "#f6efe4", // white
] as const;

/** A colour as three numbers from 0 to 1. */
export function unit(hex: string): [number, number, number] {
  const value = parseInt(hex.slice(1), 16);
  return [(value >> 16) / 255, ((value >> 8) & 255) / 255, (value & 255) / 255];
}

/** The tint of the class that stands at `place` in the run's list of classes. */
export function tintOf(place: number): string {
  return TINTS[place % TINTS.length]!;
}

/** Four bytes a token from a tint a token; `asleep` (0 to 1) is how bright each sleeps. */
export function tintBytes(
  count: number,
  tint: (id: number) => string,
  asleep: (id: number) => number,
): Uint8Array {
  const bytes = new Uint8Array(4 * count);
  const known = new Map<string, [number, number, number]>();
  for (let id = 0; id < count; id++) {
    const hex = tint(id);
    let rgb = known.get(hex);
    if (!rgb) known.set(hex, (rgb = unit(hex)));
    bytes[4 * id] = rgb[0] * 255;
    bytes[4 * id + 1] = rgb[1] * 255;
    bytes[4 * id + 2] = rgb[2] * 255;
    bytes[4 * id + 3] = asleep(id) * 255;
  }
  return bytes;
}

/** From cold blue (0) over white to warm amber (1), even in lightness. */
export function heat(part: number): string {
  const stops = ["#5f7fe8", "#7fb2ff", "#e6ecff", "#ffe0a3", "#ffb547"];
  return stops[Math.min(stops.length - 1, Math.floor(Math.max(0, part) * stops.length))]!;
}
