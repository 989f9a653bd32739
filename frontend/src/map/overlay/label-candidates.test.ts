import { describe, expect, it } from "vitest";
import { buildVocabulary } from "../../api/vocabulary";
import type { District } from "../regions/districts";
import { districtStyles, labelCandidates } from "./label-candidates";
import type { OverlayModel } from "./overlay-model";
import { labelRect, placeLabels, type LabelCandidate } from "./label-placement";

const within = { left: 0, top: 0, right: 400, bottom: 300 };

const label = (
  key: string,
  x: number,
  y: number,
  more: Partial<LabelCandidate> = {},
): LabelCandidate => ({
  key,
  text: key,
  x,
  y,
  width: 60,
  height: 14,
  ...more,
});

describe("labels", () => {
  it("never overlap or leave the picture", () => {
    const many = Array.from({ length: 300 }, (_, i) =>
      label(`${i}`, (i * 37) % 400, (i * 53) % 300, { centred: i % 5 === 0 }),
    );
    const boxes = placeLabels(many, within, 500).map(({ candidate, dx, dy }) =>
      labelRect(candidate, dx, dy),
    );
    expect(boxes.length).toBeGreaterThan(20);
    boxes.forEach((a, i) => {
      expect(a.left).toBeGreaterThanOrEqual(0);
      expect(a.right).toBeLessThanOrEqual(400);
      expect(a.top).toBeGreaterThanOrEqual(0);
      expect(a.bottom).toBeLessThanOrEqual(300);
      for (const b of boxes.slice(i + 1)) {
        const apart =
          a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
        expect(apart).toBe(true);
      }
    });
  });

  it("prefer the more important candidate", () => {
    const crowd = Array.from({ length: 20 }, (_, i) => label(`${i}`, 200, 150));
    const placed = placeLabels(crowd, within, 20).map(({ candidate }) => candidate.key);
    expect(placed[0]).toBe("0");
    expect(placed.length).toBeLessThan(20);
    expect(placed).toEqual([...placed].sort((a, b) => Number(a) - Number(b)));
  });

  it("move to the other side at the edge", () => {
    const [placed] = placeLabels([label("edge", 390, 150)], within, 1);
    expect(placed!.dx).toBeLessThan(0);
  });

  it("stand above their position if there is no room on either side", () => {
    const [placed] = placeLabels([label("long", 200, 150, { width: 300 })], within, 1);
    expect(placed!.dx).toBe(-150);
    expect(placed!.dy).toBeLessThan(0);
  });

  it("do not exceed the requested number", () => {
    const many = Array.from({ length: 9 }, (_, i) => label(`${i}`, 20, 20 + i * 30));
    expect(placeLabels(many, within, 4)).toHaveLength(4);
  });
});

const TOKENS = ["the", ".", "dog", ",", "cat"];

/** Return a map of 1,000 by 1,000 map units, with districts on a grid of ten by ten. */
function mapModel(changes: Partial<OverlayModel> = {}): OverlayModel {
  const items = TOKENS.map((token, token_id) => {
    return { token_id, token, text: token, count: 9 - token_id, class: null };
  });
  const vocabulary = buildVocabulary("run", items, []);
  const districts = Array.from({ length: 100 }, (_, i): District => {
    return {
      ...{ id: i + 1, name: `class ${i}`, tokenIds: [i] },
      ...{ compactness: 1, prominence: 200 - i },
    };
  });
  return {
    ...{ vocabulary, districts, view: { x0: 0, x1: 1_000, y0: 0, y1: 1_000 } },
    ...{ width: 1_280, height: 720, zoom: 1 },
    uncovered: { left: 0, top: 0, right: 1_280, bottom: 720 },
    ...{ ringed: [], doubtful: [], selected: [], chosen: null, links: [], trails: [], lit: [] },
    commonest: () => vocabulary.byCount,
    positionOf: (id) => [100 * id + 50, 500],
    middleOf: ({ id }) => [((id * 7) % 10) * 100 + 50, Math.floor(id / 10) * 100 + 20],
    nameColour: () => "tint",
    inDistrict: () => false,
    ...changes,
  };
}

function labelsOf(model: OverlayModel) {
  const measure = (text: string) => ({ width: 7 * text.length, height: 15 });
  return Array.from(labelCandidates(model, 1, measure, () => undefined));
}

const textsOf = (model: OverlayModel) => labelsOf(model).map(({ text }) => text);

describe("the names of the ends of a direction", () => {
  it("precede those of districts", () => {
    const names = textsOf(mapModel({ arrow: { from: [2], to: [4, 0] } }));
    expect(names.slice(0, 4)).toEqual(["dog", "cat", "the", "Class 0"]);
  });
});

describe("the names of districts", () => {
  it("grow in number with the area of the window, the first in order, in sentence case", () => {
    const names = textsOf(mapModel());
    expect(names).toEqual(Array.from({ length: 58 }, (_, i) => `Class ${i}`));
    expect(textsOf(mapModel({ width: 390, height: 600 }))).toHaveLength(15);
    expect(textsOf(mapModel({ width: 1_440, height: 900 }))).toHaveLength(81);
  });

  it("are large for those that stand out most, the others small and in their colour", () => {
    const styles = labelsOf(mapModel()).map(({ style, colour }) => [style, colour === "tint"]);
    expect(styles.filter(([style]) => style === "district")).toHaveLength(12);
    expect(styles.slice(0, 12).every(([style]) => style === "district")).toBe(true);
    expect(styles.every(([style, tinted]) => tinted === (style === "minor"))).toBe(true);
  });

  it("are more when zoomed in, and the same wherever the view moves", () => {
    const whole = textsOf(mapModel());
    const near = textsOf(mapModel({ zoom: 1.2 }));
    expect(near.slice(0, 58)).toEqual(whole);
    expect(near).toHaveLength(83);
    const half = mapModel({ zoom: 1.2, view: { x0: 500, x1: 1_500, y0: 0, y1: 1_000 } });
    const right = textsOf(half);
    expect(right.length).toBeGreaterThan(12);
    expect(right.every((text) => near.includes(text))).toBe(true);
    expect(textsOf(mapModel({ zoom: 8 })).some((text) => text.startsWith("Class"))).toBe(false);
  });

  it("belong to districts that have a middle", () => {
    const { districts } = mapModel();
    districts[0]!.compactness = 0.05;
    expect(textsOf(mapModel({ districts }))[0]).toBe("Class 1");
  });

  it("are absent without districts, even with planted classes", () => {
    expect(textsOf(mapModel({ districts: [] }))).toEqual([]);
  });

  it("stay, in their size, until another stands out far more", () => {
    const district = (id: number, prominence: number): District => {
      return { id, name: "", tokenIds: [], compactness: 1, prominence };
    };
    const others = [district(1, 100), district(2, 90)];
    const styles = (last: District[], shown: Record<number, "district" | "minor">) =>
      districtStyles([...others, ...last], 3, 2, (id) => shown[id]).map(([{ id }, style]) => [
        id,
        style,
      ]);
    const shown = { 1: "district", 2: "district", 3: "minor" } as const;
    const before = [
      [1, "district"],
      [2, "district"],
      [3, "minor"],
    ];
    expect(styles([district(3, 50), district(4, 60)], shown)).toEqual(before);
    expect(styles([district(3, 120)], shown)).toEqual(before);
    expect(styles([district(3, 50), district(4, 60)], {})).toContainEqual([4, "minor"]);
    expect(styles([district(3, 50), district(4, 90)], shown)).toContainEqual([4, "minor"]);
    expect(styles([district(3, 300)], shown)[0]).toEqual([3, "district"]);
  });
});

describe("the labels of tokens", () => {
  it("belong to words, never to punctuation marks", () => {
    const lit = [0, 1, 2, 3].map((id) => ({ id, strength: 1 }));
    expect(textsOf(mapModel({ districts: [], lit, width: 3_000 }))).toEqual(["the", "dog"]);
    expect(textsOf(mapModel({ districts: [], zoom: 3 }))).toEqual(["the", "dog", "cat"]);
  });

  it("belong to at most the twelve brightest lamps on the whole map", () => {
    const items = Array.from({ length: 40 }, (_, token_id) => {
      return { token_id, token: `word${token_id}`, text: `word${token_id}`, count: 9, class: null };
    });
    const lit = items.map(({ token_id }) => ({ id: token_id, strength: 1 }));
    const model = mapModel({
      ...{ vocabulary: buildVocabulary("run", items, []), districts: [], lit },
      ...{ width: 2_000, height: 1_000, view: { x0: 0, x1: 1_000, y0: 0, y1: 1_000 } },
      positionOf: (id) => [(id % 8) * 120 + 20, Math.floor(id / 8) * 190 + 20],
    });
    const [first] = textsOf(model);
    expect(first).toBe("word0");
    expect(textsOf(model)).toHaveLength(12);
  });

  it("are absent where a district is, until one comes close", () => {
    const lit = [0, 2, 4].map((id) => ({ id, strength: 1 }));
    const model = { districts: [], lit, inDistrict: (id: number) => id === 2 };
    expect(textsOf(mapModel(model))).toEqual(["the", "cat"]);
    expect(textsOf(mapModel({ ...model, zoom: 3 }))).toEqual(["the", "dog", "cat"]);
  });

  it("come after the names of districts, which do not change with the beat", () => {
    const lit = [{ id: 2, strength: 1 }];
    expect(textsOf(mapModel({ lit }))).toEqual([...textsOf(mapModel()), "dog"]);
  });
});
