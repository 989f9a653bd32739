import { expect, it } from "vitest";
import { coordinates, placementOf, quantise } from "../../model/plane/placement";
import type { Layout } from "../../api/frames";
import { moveAlong } from "./aligned-layout";

function layout(...xy: number[]): Layout {
  const { places, box } = quantise(Float32Array.from(xy));
  return { kind: "layout", ...box, places } as Layout;
}
const placesOf = (one: Layout) => [...coordinates(placementOf(one))];

it("keeps what differs, and is equal to the first map wherever nothing does", () => {
  const [first, now] = [layout(0, 0, 10, 0, 5, 5), layout(1, 1, 12, 0, 5, 8)];
  expect(moveAlong({ first, second: first }, first)).toBe(first);
  expect(placesOf(moveAlong({ first, second: first }, now))).toEqual(placesOf(now));
  const second = layout(0, 0, 10, 0, 5, 9);
  const [, , , , x, y] = placesOf(moveAlong({ first, second }, now));
  expect([x, y]).toEqual([expect.closeTo(5, 3), expect.closeTo(12, 3)]);
});
