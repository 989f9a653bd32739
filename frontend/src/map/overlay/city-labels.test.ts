import { describe, expect, it } from "vitest";
import { buildVocabulary } from "../../api/vocabulary";
import { fitView, uncoveredPart } from "../../model/plane/viewport";
import type { District } from "../regions/districts";
import { LABEL_FONTS, labelCandidates, labelPosition, type LabelStyle } from "./label-candidates";
import type { MapLabel } from "./label-candidates";
import type { OverlayModel } from "./overlay-model";
import { ShownLabels, type ShownLabel } from "./overlay";

const COUNT = 108;
const NAMES = ["nationalities", "emotions", "ran · walked · run", "royalty and clergy", "fruit"];
const INSETS = { top: 90, right: 60, bottom: 150, left: 20 };
const vocabulary = buildVocabulary("run", [], []);

/** Districts spread over a round city like the seeds of a sunflower, the largest in the middle. */
const districts = Array.from({ length: COUNT }, (_, id): District => {
  const name = NAMES[id % NAMES.length]!;
  return { id, name, tokenIds: [], compactness: 1, prominence: 400 / (id + 8) };
});

/** Return the city in a window; `shake` moves the middles by fractions of the city. */
function cityIn(
  [width, height]: readonly [number, number],
  changes: Partial<OverlayModel> = {},
  shake = () => [0, 0] as readonly [number, number],
): OverlayModel {
  const middleOf = ({ id }: District): [number, number] => {
    const [far, turn] = [Math.sqrt((id + 0.5) / COUNT), id * 2.399963];
    const [dx, dy] = shake();
    return [far * Math.cos(turn) + dx, far * Math.sin(turn) + dy];
  };
  return {
    ...{ vocabulary, districts, width, height, zoom: 1, middleOf },
    view: fitView({ x0: -1.1, x1: 1.1, y0: -1.1, y1: 1.1 }, width, height, INSETS),
    uncovered: uncoveredPart(width, height, INSETS),
    ...{ ringed: [], doubtful: [], selected: [], chosen: null, links: [], trails: [], lit: [] },
    ...{
      commonest: () => [],
      positionOf: () => [0, 0],
      nameColour: () => "",
      inDistrict: () => false,
    },
    ...changes,
  };
}

/** Show a frame of the city. `scale` is that of the type. */
function show(labels: ShownLabels<MapLabel>, model: OverlayModel, scale = 1, elapsed = Infinity) {
  const measure = (text: string, style: LabelStyle) => {
    const [, size] = LABEL_FONTS[style];
    return { width: 0.54 * size * scale * text.length, height: 1.15 * size * scale };
  };
  labels.choose(
    labelCandidates(model, scale, measure, (key) => labels.find(key)?.style),
    200,
  );
  labels.advance((label) => labelPosition(label, model), model.uncovered, elapsed);
  return labels.drawn;
}

function overlaps(labels: ShownLabel<MapLabel>[]): number {
  const texts = labels.map(({ candidate: { x, y, width, height }, dx, dy }) => {
    return {
      left: x + dx,
      right: x + dx + width,
      top: y + dy - height / 2,
      bottom: y + dy + height / 2,
    };
  });
  const meets = texts.map((a, i) =>
    texts
      .slice(i + 1)
      .filter((b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom),
  );
  return meets.flat().length;
}

describe("the names on a city of a hundred neighbourhoods", () => {
  it.each([
    [[1_280, 800], 1, 36],
    [[2_560, 1_440], 1.44, 60],
    [[390, 844], 1, 6],
  ] as const)(
    "in %s are many, never overlap, and lie over their neighbourhood",
    (size, scale, least) => {
      const drawn = show(new ShownLabels(), cityIn(size), scale);
      expect(drawn.length).toBeGreaterThanOrEqual(least);
      expect(overlaps(drawn)).toBe(0);
      for (const { candidate, box } of drawn) {
        expect(candidate.x).toBeGreaterThan(box.left);
        expect(candidate.x).toBeLessThan(box.right);
        expect(Math.abs(candidate.y - (box.top + box.bottom) / 2)).toBeLessThan(
          2 * candidate.height,
        );
      }
    },
  );

  it("are more when one comes closer", () => {
    const whole = show(new ShownLabels(), cityIn([1_280, 800])).length;
    const view = fitView({ x0: -0.7, x1: 0.7, y0: -0.7, y1: 0.7 }, 1_280, 800, INSETS);
    const near = show(new ShownLabels(), cityIn([1_280, 800], { zoom: 1.57, view }));
    // Half of the city is in view.
    expect(near.length).toBeGreaterThan(0.7 * whole);
    expect(overlaps(near)).toBe(0);
  });

  it("stay in place while the map and the weights of its neighbourhoods tremble", () => {
    const labels = new ShownLabels<MapLabel>();
    const placesOf = (drawn: ShownLabel<MapLabel>[]) =>
      new Set(drawn.map(({ candidate, dx, dy }) => `${candidate.key} ${dx} ${dy}`));
    let seed = 11;
    const next = () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647 - 0.5;
    const first = placesOf(show(labels, cityIn([1_280, 800])));
    let frames = 0;
    for (; frames < 60; frames++) {
      // Half a pixel, and a tenth of a weight, either way.
      const shaken = districts.map((one) => ({
        ...one,
        prominence: one.prominence * (1 + 0.2 * next()),
      }));
      const model = cityIn([1_280, 800], { districts: shaken }, () => [
        0.002 * next(),
        0.002 * next(),
      ]);
      const drawn = show(labels, model, 1, 16);
      expect(overlaps(drawn)).toBe(0);
      const now = placesOf(drawn);
      const gone = [...first].filter((place) => !now.has(place));
      expect(gone).toEqual([]);
    }
    expect(frames).toBe(60);
  });
});
