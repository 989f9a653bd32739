import { describe, expect, it } from "vitest";
import { MIN_READING_TIME } from "./introduction";
import { IntroductionTeller } from "./introduction-teller.svelte";

/** Half of the words are rivers, in district 7, and half trees, in district 8. */
const PLACES = Uint16Array.from([0, 60_000, 10, 61_000, 0, 62_000, 10, 63_000]);
const MAP = { step: 100, x0: 0, x1: 1, y0: 0, y1: 1, places: PLACES };

function districtsOf(ids: number[], of: number[]) {
  const names = ids.map((id) => (id === 7 ? "rivers" : "trees"));
  return { ids: Uint32Array.from(ids), names, of: Uint16Array.from(of) };
}

/** Start the introduction of a run in training, after its first lines. */
function begin() {
  const run = {
    displayedStep: 100 as number | null,
    newestStep: 100,
    paused: false,
    beat: {},
    status: { phase: "running" },
    vocabulary: { tokens: [], byCount: new Uint32Array(), classes: [] },
    districts: null as ReturnType<typeof districtsOf> | null,
  };
  const viewpoint = { look: null as object | null, pointedOut: null as number | null };
  const preferences = { set: () => undefined };
  const viewSettings = { shortcutsOpen: false, secondMap: null, view: "umap" };
  const openRun = { run, layout: MAP };
  const server = { presenter: false };
  const stores = { openRun, focus: { token: null }, viewSettings, viewpoint, preferences, server };
  const teller = new IntroductionTeller(
    stores as unknown as ConstructorParameters<typeof IntroductionTeller>[0],
  );
  let now = 0;
  /** Let time pass, in ms. */
  const wait = (time: number) => {
    for (const end = now + time; now < end; now += 200) teller.tick(now, true);
  };
  wait(2 * MIN_READING_TIME + 1_000);
  return { run, stores, viewpoint, teller, wait };
}

describe("the first line", () => {
  it("comes with the first map, before a step is displayed, unless a past one is awaited", () => {
    const { run, stores } = begin();
    const firstLine = (changes: object) => {
      const another = new IntroductionTeller({
        ...stores,
        openRun: { run: { ...run, displayedStep: null, ...changes }, layout: MAP },
      } as unknown as ConstructorParameters<typeof IntroductionTeller>[0]);
      another.tick(0, true);
      return another.line && [another.line.name, another.line.step];
    };
    expect(firstLine({})).toEqual(["lights", 100]);
    expect(firstLine({ paused: true })).toBeNull();
    expect(firstLine({ replay: {} })).toBeNull();
  });
});

describe("the first district that is pointed out", () => {
  it("has lasted on the map, and is ringed and viewed while its line is displayed", () => {
    const { run, viewpoint, teller, wait } = begin();
    run.districts = districtsOf([7], [1, 1, 0, 0]);
    wait(2_000);
    // It disappears, as many do.
    run.districts = districtsOf([8], [0, 0, 1, 1]);
    wait(2_000);
    expect(teller.line?.name).not.toBe("district");
    expect(viewpoint.pointedOut).toBeNull();
    wait(2_000);
    expect(teller.line?.district?.name).toBe("trees");
    expect(viewpoint.pointedOut).toBe(8);
    expect(viewpoint.look).not.toBeNull();
    teller.close();
    expect([viewpoint.pointedOut, viewpoint.look]).toEqual([null, null]);
  });
});
