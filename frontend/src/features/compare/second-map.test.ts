import { expect, it, describe } from "vitest";
import { coordinates, placementOf, quantise } from "../../model/plane/placement";
import type { Layout } from "../../api/frames";
import { moveAlong, TokenMatching } from "./second-map.svelte";
import { distancesFrom, lightOfDistances } from "./row-distances";
import { buildVocabulary } from "../../api/vocabulary";

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

describe("distances between the rows of two runs", () => {
  const numbers = Float32Array.of(0, 0.5, NaN, 2, 0.1, 0.4, NaN, 1, 2, 2, NaN, 0);

  it("are the server's, with the neighbours that are others", () => {
    const { raw, aligned, neighbours } = distancesFrom(numbers);
    expect([...raw]).toEqual([0, 0.5, NaN, 2]);
    expect([...aligned]).toEqual([0, Math.fround(0.4), NaN, 1]);
    // Three words have two neighbours each.
    expect([...neighbours]).toEqual([0, 0, NaN, 2]);
  });

  it("light the words that differ, and leave what is equal or unknown asleep", () => {
    expect([...lightOfDistances(distancesFrom(numbers).raw, 7).ids]).toEqual([3]);
    expect(lightOfDistances(new Float32Array(2_000), 7).ids).toHaveLength(0);
    const many = Float32Array.from({ length: 6_000 }, (_, id) => id);
    expect(lightOfDistances(many, 7)).toMatchObject({ step: 7, said: true });
    expect(lightOfDistances(many, 7).ids).toHaveLength(120);
  });
});

const words = (run: string, tokens: string[]) =>
  buildVocabulary(
    run,
    tokens.map((token, token_id) => ({ token_id, token, text: token, count: 1, class: null })),
    [],
  );

describe("token matching", () => {
  it("of one run pairs each token with itself", () => {
    const one = words("a", ["x", "x ", "y"]);
    const matching = new TokenMatching(one, words("a", ["x", "x ", "y"]));
    expect([0, 1, 2, 3].map((id) => matching.toSecond(id))).toEqual([0, 1, 2, null]);
    expect(matching.commonIds()[0]).toEqual(Uint32Array.of(0, 1, 2));
  });

  it("of two runs pairs tokens of equal text, and leaves the others out", () => {
    const matching = new TokenMatching(
      words("a", ["x", "__proto__", "y"]),
      words("b", ["y", "z", "x", "w"]),
    );
    expect([0, 1, 2].map((id) => matching.toSecond(id))).toEqual([2, null, 0]);
    expect([0, 1, 2, 3].map((id) => matching.toFirst(id))).toEqual([2, null, 0, null]);
    expect(matching.allToSecond([2, 1, 0])).toEqual([0, 2]);
    expect(matching.commonIds()).toEqual([Uint32Array.of(0, 2), Uint32Array.of(2, 0)]);
  });
});
