import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Layout } from "../../api/frames";
import { buildVocabulary } from "../../api/vocabulary";
import { positionOf, quantise } from "../../model/placement";
import { MapCamera } from "../interaction/camera";
import { UNMARKED } from "./displayed-map";
import { NO_CONTENT, type SceneContent } from "./map-content";
import { ShownContent, type ContentRenderer } from "./shown-content";

const vocabulary = buildVocabulary(
  "run",
  [0, 1, 2].map((token_id) => ({
    token_id,
    token: `w${token_id}`,
    count: 9 - token_id,
    class: null,
  })),
  [],
);
const planted = buildVocabulary(
  "run",
  [0, 1, 2].map((token_id) => ({ token_id, token: `w${token_id}`, count: 1, class: "animals" })),
  [{ name: "animals" }],
);
const tints = new Uint8Array(12).fill(100);
const beat = { step: 3, ids: Uint32Array.of(1), norms: Float32Array.of(2), duration: 300 };

function layoutOf(xy: number[], drawnBy = "umap"): Layout {
  const { places, box } = quantise(Float32Array.from(xy));
  return { places, ...box, vocabulary: xy.length / 2, drawnBy } as unknown as Layout;
}

const layout = layoutOf([0, 0, 10, 0, 0, 10]);

function shownContent() {
  const calls: string[] = [];
  const uploaded: Record<string, unknown[]> = {};
  const recorder =
    (name: string) =>
    (...given: unknown[]) => {
      calls.push(name);
      uploaded[name] = given;
    };
  const renderer: ContentRenderer = {
    setTokens: recorder("setTokens"),
    setTints: recorder("setTints"),
    setPlacement: recorder("setPlacement"),
    setLand: recorder("setLand"),
    setLit: recorder("setLit"),
  };
  const events = {
    landChanged: () => undefined,
    lookFollowed: () => undefined,
    tracesChanged: () => undefined,
  };
  const camera = new MapCamera(() => undefined);
  const shown = new ShownContent(renderer, camera, events);
  let content = NO_CONTENT;
  const update = (changes: Partial<SceneContent>) => {
    calls.length = 0;
    const relabel = shown.update((content = { ...content, ...changes }));
    return { relabel, calls: [...calls] };
  };
  return { shown, uploaded, update };
}

describe("the shown content", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal("matchMedia", () => ({ matches: false }));
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it("passes on what changed, and nothing else", () => {
    const { update } = shownContent();
    expect(update({ vocabulary, tints, layout }).calls).toEqual([
      "setTokens",
      "setTints",
      "setPlacement",
      "setLit",
    ]);
    expect(update({})).toEqual({ relabel: false, calls: [] });
    expect(update({ beat })).toEqual({ relabel: true, calls: ["setLit"] });
    expect(update({ heldBrightness: 0.9 })).toEqual({ relabel: false, calls: [] });
    expect(update({ marks: { ...UNMARKED, chosen: 1 } })).toEqual({ relabel: true, calls: [] });
    expect(update({ tints: tints.slice() }).calls).toEqual(["setTints"]);
  });

  it("waits for the vocabulary, then shows what came before it", () => {
    const { shown, update } = shownContent();
    expect(update({ tints, layout, beat }).calls).toEqual([]);
    expect(shown.layout).toBeNull();
    update({ vocabulary });
    expect(shown.layout).toBe(layout);
    expect([...shown.displayed.lit.ids]).toEqual([1]);
  });

  it("leaves a layout of another vocabulary alone", () => {
    const { shown, update } = shownContent();
    update({ vocabulary, layout });
    expect(update({ layout: layoutOf([0, 0, 1, 1]) }).calls).toEqual([]);
    expect(shown.layout).toBe(layout);
  });

  it("glides on from where an interrupted glide had come to, and jumps while the viewer scrubs", () => {
    const { shown, uploaded, update } = shownContent();
    update({ vocabulary, layout });
    vi.advanceTimersByTime(1_000);
    update({ layout: layoutOf([0, 0, 20, 0, 0, 10]) });
    expect(uploaded["setPlacement"]![1]).toBeUndefined();
    vi.advanceTimersByTime(300);
    update({ layout: layoutOf([0, 0, 10, 0, 0, 10]) });
    const [, from] = uploaded["setPlacement"] as Parameters<ContentRenderer["setPlacement"]>;
    expect(positionOf(from!, 1)[0]).toBeCloseTo(15, 1);
    update({ scrubbing: true, layout: layoutOf([0, 0, 30, 0, 0, 10]) });
    expect(uploaded["setPlacement"]![1]).toBeUndefined();
    expect(shown.displayed.positionOf(1, 0)[0]).toBeCloseTo(30, 3);
  });

  it("names nothing before districts are found, and drops them at once for a step without", () => {
    const { shown, update } = shownContent();
    const names = () => shown.displayed.districts.map(({ name }) => name);
    const districts = {
      ...{ kind: "districts" as const, attempt: 1, step: 9, time: 0, vocabulary: 3 },
      ...{ ids: Uint32Array.of(4), names: ["animals"], of: Uint16Array.of(1, 1, 1) },
    };
    update({ vocabulary: planted, layout });
    vi.advanceTimersByTime(1_000);
    expect(names()).toEqual([]);
    update({ districts });
    vi.advanceTimersByTime(1_000);
    expect(names()).toEqual(["animals"]);
    expect(update({ districts: { ...districts, names: ["pets"] } }).relabel).toBe(true);
    expect(names()).toEqual(["pets"]);
    update({ districts: null });
    expect(names()).toEqual([]);
    vi.advanceTimersByTime(1_000);
    expect(names()).toEqual([]);
  });

  it("dims all tokens but the selected ones", () => {
    const { shown, update } = shownContent();
    update({ vocabulary, tints, layout });
    expect(update({ marks: { ...UNMARKED, selected: [2] } }).calls).toEqual(["setTints"]);
    const alpha = [3, 7, 11].map((i) => shown.displayed.tints[i]!);
    expect(alpha[0]).toBeLessThan(100);
    expect(alpha[2]).toBeGreaterThan(100);
  });

  it("rotates layouts and trails so that the selected tokens hold still", () => {
    const { shown, update } = shownContent();
    const trail = { id: 0, xs: [10, 10], ys: [0, 5], own: true };
    update({ vocabulary, layout, marks: { ...UNMARKED, selected: [0, 1], trails: [trail] } });
    update({ aligned: true });
    expect(shown.displayed.marks.trails).toEqual([trail]);
    // A quarter turn.
    update({ layout: layoutOf([0, 0, 0, 10, -10, 0]) });
    const [x, y] = shown.displayed.positionOf(1, 1);
    expect([Math.round(x), Math.round(y)]).toEqual([10, 0]);
    expect(shown.displayed.marks.trails[0]!.xs[1]).toBeCloseTo(5, 2);
    update({ aligned: false });
    expect(shown.displayed.marks.trails).toEqual([trail]);
  });
});
