import { describe, expect, it } from "vitest";
import type { Districts } from "../../api/frames";
import { buildVocabulary } from "../../api/vocabulary";
import { positionOf, quantise } from "../../model/plane/placement";
import { DisplayedMap, litRowsOf } from "./displayed-map";

const here = quantise(Float32Array.of(0, 0, 10, 10, 4, 2));
const there = quantise(Float32Array.of(0, 10, 20, 0, 4, 2));
const vocabulary = buildVocabulary(
  "run",
  [0, 1, 2].map((token_id) => ({
    token_id,
    token: `w${token_id}`,
    text: `w${token_id}`,
    count: 9 - token_id,
    class: null,
  })),
  [],
);
const frame = {
  view: { x0: 0, x1: 20, y0: 0, y1: 20 },
  width: 200,
  height: 200,
  zoom: 1,
  uncovered: { left: 0, top: 0, right: 200, bottom: 200 },
};

function displayedMap(): DisplayedMap {
  const displayed = new DisplayedMap();
  displayed.reset(vocabulary);
  displayed.jumpTo(here);
  return displayed;
}

describe("the displayed map", () => {
  it("interpolates its lamps between two layouts, all together and one by one", () => {
    const displayed = displayedMap();
    displayed.glideTo(there, 1);
    const placed = displayed.placementAt(0.25);
    for (const id of [0, 1, 2]) {
      for (const axis of [0, 1] as const) {
        const [from, to] = [positionOf(here, id)[axis], positionOf(there, id)[axis]];
        expect(displayed.positionOf(id, 0.25)[axis]).toBeCloseTo(0.75 * from + 0.25 * to, 9);
        expect(positionOf(placed, id)[axis]).toBeCloseTo(0.75 * from + 0.25 * to, 2);
      }
    }
    expect(displayed.positionOf(1, 1)).toEqual(positionOf(there, 1));
  });

  it("continues from the position of an interrupted glide", () => {
    const displayed = displayedMap();
    displayed.glideTo(there, 1);
    const caught = displayed.positionOf(1, 0.5);
    displayed.glideTo(here, 0.5);
    expect(displayed.positionOf(1, 0)[0]).toBeCloseTo(caught[0], 2);
    expect(displayed.positionOf(1, 1)).toEqual(positionOf(here, 1));
    displayed.jumpTo(there);
    expect(displayed.positionOf(1, 0)).toEqual(positionOf(there, 1));
  });

  it("gives labels and marks the positions of their instant, unaffected by later changes", () => {
    const displayed = displayedMap();
    displayed.glideTo(there, 1);
    displayed.marks = { ...displayed.marks, chosen: 2 };
    displayed.lit = litRowsOf({ ids: Uint32Array.of(1), norms: Float32Array.of(3) });
    const model = displayed.overlayModel(0.5, frame, () => vocabulary.byCount)!;
    expect(model.chosen).toBe(2);
    expect(model.lit).toEqual([{ id: 1, strength: 1 }]);
    expect(model.positionOf(1)).toEqual(displayed.positionOf(1, 0.5));
    expect(displayed.overlayModel(1, frame, () => [])!.positionOf(1)).toEqual(
      displayed.positionOf(1, 1),
    );
  });

  it("keeps the middle of a district among its lamps at every instant", () => {
    const displayed = displayedMap();
    const district = { id: 1, name: "a", tokenIds: [1], compactness: 1, prominence: 1 };
    displayed.glideTo(there, 1);
    for (const mixing of [0, 0.25, 1])
      expect(displayed.middleOf(district, mixing)[0]).toBeCloseTo(
        displayed.positionOf(1, mixing)[0],
        4,
      );
    const model = displayed.overlayModel(0.5, frame, () => [])!;
    expect(model.middleOf(district)).toEqual(displayed.middleOf(district, 0.5));
  });

  it("colours the name of a district as its lamps, and knows who lives in one with a middle", () => {
    const displayed = displayedMap();
    displayed.tints = Uint8Array.of(...[9, 9, 9, 255], ...[250, 0, 0, 255], ...[250, 0, 0, 255]);
    const district = { id: 1, name: "a", tokenIds: [1, 2], compactness: 1, prominence: 1 };
    displayed.found = { ids: [1, 2], of: [2, 1, 1] } as unknown as Districts;
    displayed.districts = [district, { ...district, id: 2, tokenIds: [0], compactness: 0 }];
    const model = displayed.overlayModel(1, frame, () => [])!;
    const [red, green] = model.nameColour(district).match(/\d+/g)!.map(Number);
    expect(red).toBeGreaterThan(2 * green!);
    expect([0, 1, 2].map(model.inDistrict)).toEqual([false, true, true]);
  });

  it("drops the layout and the beat of another vocabulary", () => {
    const displayed = displayedMap();
    displayed.lit = litRowsOf({ ids: Uint32Array.of(1), norms: Float32Array.of(3) });
    displayed.reset(null);
    expect(displayed.overlayModel(1, frame, () => [])).toBeNull();
    expect([displayed.lit.ids.length, displayed.to.places.length]).toEqual([0, 0]);
  });
});

describe("the rows of a beat", () => {
  it("are named in order of their gradients, unknown ones last", () => {
    const lit = litRowsOf({ ids: Uint32Array.of(4, 5, 6), norms: Float32Array.of(1, NaN, 8) });
    expect(lit.named.map(({ id }) => id)).toEqual([6, 4, 5]);
    expect(lit.strengths[2]).toBe(1);
    expect(lit.strengths[1]).toBeLessThan(lit.strengths[0]!);
    expect(litRowsOf(null).ids.length).toBe(0);
  });

  it("are named only up to a limit, the strongest first", () => {
    const ids = Uint32Array.from({ length: 500 }, (_, i) => i);
    const lit = litRowsOf({ ids, norms: Float32Array.from(ids) });
    expect(lit.named.length).toBeLessThan(200);
    expect(lit.named.map(({ id }) => id)).toEqual(
      Array.from(lit.named, (_, i) => ids.length - 1 - i),
    );
    expect(lit.ids.length).toBe(500);
  });
});
