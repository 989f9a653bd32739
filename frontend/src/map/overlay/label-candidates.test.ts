import { describe, expect, it } from "vitest";
import { buildVocabulary } from "../../api/vocabulary";
import type { District } from "../regions/districts";
import { districtsToName, labelCandidates } from "./label-candidates";
import type { OverlayModel } from "./overlay-model";

const TOKENS = ["the", ".", "dog", ",", "cat"];

/** Return a map of 1,000 by 1,000 map units, with districts on a grid of ten by ten. */
function mapModel(changes: Partial<OverlayModel> = {}): OverlayModel {
  const items = TOKENS.map((token, token_id) => {
    return { token_id, token, text: token, count: 9 - token_id, class: null };
  });
  const vocabulary = buildVocabulary("run", items, []);
  const districts = Array.from({ length: 100 }, (_, i): District => {
    return { id: i + 1, name: `class ${i}`, tokenIds: [i], compactness: 1 };
  });
  return {
    ...{ vocabulary, districts, view: { x0: 0, x1: 1_000, y0: 0, y1: 1_000 } },
    ...{ width: 1_280, height: 720, zoom: 1 },
    uncovered: { left: 0, top: 0, right: 1_280, bottom: 720 },
    ...{ ringed: [], doubtful: [], selected: [], chosen: null, links: [], trails: [], lit: [] },
    commonest: () => vocabulary.byCount,
    positionOf: (id) => [100 * id + 50, 500],
    middleOf: ({ id }) => [((id * 7) % 10) * 100 + 50, Math.floor(id / 10) * 100 + 20],
    ...changes,
  };
}

function textsOf(model: OverlayModel, shown: string[] = []): string[] {
  const measure = (text: string) => ({ width: 7 * text.length, height: 15 });
  const labels = labelCandidates(model, 1, measure, (key) => shown.includes(key));
  return Array.from(labels, ({ text }) => text);
}

describe("the names of the ends of a direction", () => {
  it("precede those of districts", () => {
    const names = textsOf(mapModel({ arrow: { from: [2], to: [4, 0] } }));
    expect(names.slice(0, 4)).toEqual(["dog", "cat", "the", "Class 0"]);
  });
});

describe("the names of districts", () => {
  it("are at most twelve on the whole map, the first in order, in sentence case", () => {
    const names = textsOf(mapModel());
    expect(names).toEqual(Array.from({ length: 12 }, (_, i) => `Class ${i}`));
    // A screen with less room has fewer.
    expect(textsOf(mapModel({ width: 390, height: 600 }))).toHaveLength(7);
  });

  it("are more when zoomed in, and the same wherever the view moves", () => {
    const whole = textsOf(mapModel());
    const near = textsOf(mapModel({ zoom: 2 }));
    expect(near.slice(0, 12)).toEqual(whole);
    expect(near.filter((text) => text.startsWith("Class"))).toHaveLength(48);
    const half = mapModel({ zoom: 2, view: { x0: 500, x1: 1_500, y0: 0, y1: 1_000 } });
    const right = textsOf(half).filter((text) => text.startsWith("Class"));
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

  it("stay when another is only slightly ahead", () => {
    const { districts } = mapModel();
    const first = districtsToName(districts, 12, () => false).map(({ id }) => id);
    const [last, next] = [districts[11]!, districts[12]!];
    const swapped = [...districts.slice(0, 11), next, last, ...districts.slice(13)];
    const named = (ids: number[]) => (id: number) => ids.includes(id);
    const ids = (all: District[], shown: number[]) =>
      districtsToName(all, 12, named(shown))
        .map(({ id }) => id)
        .sort((a, b) => a - b);
    expect(ids(swapped, first)).toEqual(first);
    expect(ids(swapped, [])).not.toEqual(first);
    // One that fell far behind goes, and one that is gone makes room.
    const fallen = [...districts.slice(0, 11), ...districts.slice(12, 40), last];
    expect(ids(fallen, first)).toEqual([...first.slice(0, 11), next.id]);
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

  it("come after the names of districts, which do not change with the beat", () => {
    const lit = [{ id: 2, strength: 1 }];
    expect(textsOf(mapModel({ lit }))).toEqual([...textsOf(mapModel()), "dog"]);
  });
});
