/** Where the planted classes have come together, and how tightly. Pure. */

import type { View } from "./placement";

export interface District {
  /** Place in the vocabulary's classes. */
  place: number;
  name: string;
  x: number;
  y: number;
  size: number;
  /** 1: its tokens lie close together; 0: strewn over the whole city. */
  unity: number;
}

/** Part of the city's span within which half a district's tokens must lie to be called one. */
const TIGHT = 0.07;
const LOOSE = 0.19;

export function districtsOf(
  xy: Float32Array,
  classOf: Int16Array,
  classes: string[],
  around: View,
): District[] {
  const members: number[][] = classes.map(() => []);
  for (let id = 0; id < classOf.length; id++) members[classOf[id]!]?.push(id);
  const [w, h] = [around.x1 - around.x0, around.y1 - around.y0];
  return members
    .map((ids, place): District => {
      const x = median(ids.map((id) => xy[2 * id]!));
      const y = median(ids.map((id) => xy[2 * id + 1]!));
      const spread = median(
        ids.map((id) => Math.hypot((xy[2 * id]! - x) / w, (xy[2 * id + 1]! - y) / h)),
      );
      const unity = Math.max(0, Math.min(1, (LOOSE - spread) / (LOOSE - TIGHT)));
      return { place, name: classes[place]!, x, y, size: ids.length, unity };
    })
    .filter(({ size }) => size >= 3)
    .sort((a, b) => b.size - a.size);
}

function median(values: number[]): number {
  if (!values.length) return 0;
  values.sort((a, b) => a - b);
  return values[values.length >> 1]!;
}
