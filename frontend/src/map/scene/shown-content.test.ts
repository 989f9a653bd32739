import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Layout } from "../../api/frames";
import { buildVocabulary } from "../../api/vocabulary";
import { positionOf, quantise } from "../../model/plane/placement";
import { toPixel, uncoveredPart } from "../../model/plane/viewport";
import { MapCamera } from "../interaction/camera";
import { UNMARKED } from "./displayed-map";
import { NO_CONTENT, type SceneContent } from "./map-content";
import { ShownContent, type ContentRenderer } from "./shown-content";

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
const planted = buildVocabulary(
  "run",
  [0, 1, 2].map((token_id) => ({
    token_id,
    token: `w${token_id}`,
    text: `w${token_id}`,
    count: 1,
    class: "animals",
  })),
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
    moveLand: recorder("moveLand"),
    setLit: recorder("setLit"),
  };
  const events = {
    landChanged: () => undefined,
    lookFollowed: () => undefined,
  };
  const camera = new MapCamera(() => undefined);
  const shown = new ShownContent(renderer, camera, events);
  let content = NO_CONTENT;
  const update = (changes: Partial<SceneContent>) => {
    calls.length = 0;
    const relabel = shown.update((content = { ...content, ...changes }));
    return { relabel, calls: [...calls] };
  };
  return { shown, camera, uploaded, update };
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

  it("passes on only the changes", () => {
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

  it("removes the lamps without a layout, and restores them with the next one", () => {
    const { shown, uploaded, update } = shownContent();
    update({ vocabulary, tints, layout, beat });
    expect(update({ layout: null }).calls).toEqual(["setTokens", "setTints", "setLit"]);
    expect(shown.layout).toBeNull();
    expect(shown.displayed.to.places).toHaveLength(0);
    expect(uploaded["setLit"]![0]).toEqual(Uint32Array.of(1));
    expect(update({}).calls).toEqual([]);
    expect(update({ layout }).calls).toEqual(["setPlacement"]);
    expect(shown.layout).toBe(layout);
  });

  it("waits for the vocabulary, then shows earlier content", () => {
    const { shown, update } = shownContent();
    expect(update({ tints, layout, beat }).calls).toEqual([]);
    expect(shown.layout).toBeNull();
    update({ vocabulary });
    expect(shown.layout).toBe(layout);
    expect([...shown.displayed.lit.ids]).toEqual([1]);
  });

  it("ignores a layout of another vocabulary", () => {
    const { shown, update } = shownContent();
    update({ vocabulary, layout });
    expect(update({ layout: layoutOf([0, 0, 1, 1]) }).calls).toEqual([]);
    expect(shown.layout).toBe(layout);
  });

  it("continues from an interrupted glide, and jumps while the viewer scrubs", () => {
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

  it("shows no names before districts are found, and drops them at once for a step without districts", () => {
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

  it("dims all tokens except the selected ones", () => {
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

  describe("and the camera", () => {
    const COUNT = 60;
    const insets = { top: 70, right: 40, bottom: 130, left: 50 };
    const tokens = Array.from({ length: COUNT }, (_, token_id) => {
      return { token_id, token: `w${token_id}`, text: `w${token_id}`, count: 1, class: null };
    });
    const city = buildVocabulary("run", tokens, []);

    /** Return a circular layout of this radius, the same at every call. */
    function round(radius: number, drawnBy = "umap"): Layout {
      const xy = Array.from({ length: 2 * COUNT }, (_, i) => {
        const angle = 2.4 * (i >> 1) + radius;
        return radius * Math.sqrt((i >> 1) / COUNT) * (i % 2 ? Math.sin(angle) : Math.cos(angle));
      });
      return layoutOf(xy, drawnBy);
    }

    function cityOnScreen() {
      const made = shownContent();
      const { shown, camera } = made;
      camera.setViewport(1_280, 720, insets);
      const free = uncoveredPart(1_280, 720, insets);
      /** Draw a frame. Return the pixels of the lamps, and how many of these are covered or outside. */
      const draw = () => {
        const now = performance.now();
        camera.advance(now, shown.clock.reducedMotion);
        const mixing = shown.clock.mixing(now);
        const pixels = tokens.map(({ token_id: id }) =>
          toPixel(camera, shown.displayed.positionOf(id, mixing)),
        );
        const outside = pixels.filter(
          ([x, y]) => x < free.left || x > free.right || y < free.top || y > free.bottom,
        );
        return { pixels, outside: outside.length };
      };
      return { ...made, draw };
    }

    it("keeps every lamp in view while the city grows, also when glides are interrupted", () => {
      const { update, draw } = cityOnScreen();
      const radii = [1, 1.4, 1.5, 2.4, 3.9, 3.8, 6, 9, 4, 4.1, 5.5];
      for (const [every, scrubbing] of [[250], [700], [1_000], [100, true]] as const) {
        update({ vocabulary: null });
        for (const radius of radii) {
          update({ vocabulary: city, layout: round(radius), scrubbing: scrubbing ?? false });
          for (let time = 0; time < every; time += 20) {
            vi.advanceTimersByTime(20);
            expect(draw().outside).toBe(0);
          }
        }
      }
    });

    it("moves to a map of another kind without a jump, and without losing a lamp on the way", () => {
      const { shown, update, draw } = cityOnScreen();
      update({ vocabulary: city, layout: round(0.4, "linear") });
      vi.advanceTimersByTime(1_000);
      const before = draw().pixels;
      update({ layout: round(30) });
      const begun = draw();
      begun.pixels.forEach(([x, y], id) => {
        expect(x).toBeCloseTo(before[id]![0], 0);
        expect(y).toBeCloseTo(before[id]![1], 0);
      });
      // Half of the way in half of the time, though one map is many times as large as the other.
      vi.advanceTimersByTime(300);
      const half = draw();
      expect(half.outside).toBe(0);
      vi.advanceTimersByTime(400);
      const after = draw().pixels;
      expect(half.pixels[9]![0]).toBeCloseTo((before[9]![0] + after[9]![0]) / 2, -1);
      expect(shown.displayed.positionOf(9, 1)[0]).toBeGreaterThan(1);
    });

    it("leaves the view where the viewer moved it, until they go home", () => {
      const { camera, update, draw } = cityOnScreen();
      update({ vocabulary: city, layout: round(1) });
      vi.advanceTimersByTime(1_000);
      draw();
      const own = { x0: -0.2, x1: 0.2, y0: -0.1, y1: 0.1 };
      camera.setView(own);
      update({ layout: round(5) });
      vi.advanceTimersByTime(1_000);
      draw();
      expect(camera.view).toEqual(own);
      camera.goHome();
      vi.advanceTimersByTime(1_000);
      expect(draw().outside).toBe(0);
    });

    it("fits at once, without a glide, with reduced motion", () => {
      const { shown, camera, update, draw } = cityOnScreen();
      shown.clock.reducedMotion = true;
      update({ vocabulary: city, layout: round(1) });
      draw();
      update({ layout: round(8) });
      expect(draw().outside).toBe(0);
      expect(camera.moving).toBe(false);
    });
  });
});
