import { describe, expect, it } from "vitest";
import {
  advanceIntroduction,
  beginIntroduction,
  endIntroduction,
  MIN_READING_TIME,
  putLineAway,
  tellReplay,
  type Introduction,
  type IntroductionFacts,
} from "./introduction";
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

const NUMBERS = { id: 7, name: "numbers", telling: true, planted: true };

const NOW: IntroductionFacts = {
  step: 0,
  mapStep: 0,
  held: false,
  lit: false,
  atRest: false,
  recorded: false,
  district: null,
  lie: null,
  words: [3, 5],
  chosen: false,
};

/** Watch a run for some seconds, with facts that change at given seconds; return the lines with their times. */
function watch(
  seconds: number,
  events: [number, Partial<IntroductionFacts>][],
  from: Introduction = beginIntroduction(0),
) {
  const lines: [number, string | null][] = [];
  let told = from;
  let facts = NOW;
  for (let now = 0; now <= seconds * 1_000; now += 200) {
    for (const [at, change] of events) if (at * 1_000 === now) facts = { ...facts, ...change };
    const before = told.line;
    told = advanceIntroduction(told, facts, now);
    if (told.line !== before) lines.push([now / 1_000, told.line?.name ?? null]);
  }
  return { lines, told };
}

describe("the introduction", () => {
  it("tells each line at its event, and not before the previous one can be read", () => {
    const { lines, told } = watch(60, [
      [0, { step: null, mapStep: null, held: true }],
      [1, { step: 0, mapStep: 0 }],
      // The map is there: the notice of the wait has told the first line.
      [6, { held: false }],
      [7, { step: 12, lit: true }],
      [8, { step: 50, mapStep: 40 }],
      [17, { district: NUMBERS }],
    ]);
    expect(lines).toEqual([
      [6, "nothing"],
      [10, "reading"],
      [17, "district"],
      // It asks, so it stays.
      [21, "words"],
    ]);
    expect(told.over).toBe(false);
  });

  it("explains a light where no notice does, with the steps so far", () => {
    const early = watch(20, [[5, { step: 3, lit: true }]]);
    expect(early.lines.map(([, name]) => name).slice(0, 3)).toEqual([
      "lights",
      "nothing",
      "reading",
    ]);
    const middle = watch(2, [[0, { step: 300, mapStep: 300, lit: true }]]);
    expect(middle.told.line).toMatchObject({ name: "lights", step: 300 });
  });

  it("omits false lines: no map of step 0, no reading at the end, no words", () => {
    const middle = watch(60, [[0, { step: 300, mapStep: 300, lit: true, district: NUMBERS }]]);
    expect(middle.lines).toEqual([
      [0, "lights"],
      [4, "reading"],
      [8, "district"],
      [12, "words"],
    ]);
    const still = watch(60, [[0, { atRest: true, recorded: true, words: [] }]]);
    expect(still.lines).toEqual([
      [0, "lights"],
      [9, null],
    ]);
    expect(still.told.over).toBe(true);
    const recorded = watch(20, [
      [0, { recorded: true }],
      [5, { step: 3, lit: true }],
    ]);
    expect(recorded.lines.map(([, name]) => name)).not.toContain("nothing");
  });

  it("clears the screen while it waits, and goes on without an event that does not come", () => {
    const { lines } = watch(80, [[0, { step: 300, mapStep: 300, lit: true }]]);
    expect(lines).toEqual([
      [0, "lights"],
      [4, "reading"],
      // No district forms.
      [13, null],
      [49, "words"],
    ]);
  });

  it("waits for the first map without a limit", () => {
    expect(watch(300, [[0, { step: null, mapStep: null }]]).lines).toEqual([]);
  });

  it("tells of a district that formed during another line, and keeps that one", () => {
    const { told } = watch(9, [
      [0, { step: 300, mapStep: 300, lit: true }],
      [5, { district: NUMBERS }],
      [8.4, { district: { ...NUMBERS, id: 9 } }],
    ]);
    expect(told.line?.district).toEqual(NUMBERS);
  });

  it("waits for an informative name, but not for long", () => {
    const little = { id: 8, name: "to · toward · of", telling: false, planted: false };
    const middle: [number, Partial<IntroductionFacts>] = [
      0,
      { step: 300, mapStep: 300, lit: true },
    ];
    const better = watch(30, [middle, [5, { district: little }], [12, { district: NUMBERS }]]);
    expect(better.lines[2]).toEqual([12, "district"]);
    expect(watch(30, [middle, [5, { district: little }]]).lines.slice(2, 4)).toEqual([
      [13, null],
      [19, "district"],
    ]);
  });

  it("tells a replay from the map of step 0", () => {
    const { lines } = watch(
      20,
      [
        [0, { step: 0 }],
        [5, { step: 3, lit: true }],
      ],
      tellReplay(0),
    );
    expect(lines.slice(0, 2)).toEqual([
      [0, "nothing"],
      [5, "reading"],
    ]);
  });

  it("ends when a word is found, when it is skipped, and after its last line is put away", () => {
    expect(watch(3, [[1, { chosen: true }]]).told.over).toBe(true);
    const told = watch(1, []).told;
    expect(endIntroduction(told)).toMatchObject({ line: null, over: true });
    const ended = endIntroduction(told);
    expect(advanceIntroduction(ended, NOW, 9_000)).toBe(ended);
    const last = watch(13, [[0, { step: 300, mapStep: 300, lit: true, district: NUMBERS }]]).told;
    expect(putLineAway(last).over).toBe(true);
  });

  it("asks for a lie after the first neighbourhood, and waits for a click, where the model can be asked", () => {
    const lie = "the cat barked";
    const { lines, told } = watch(24, [
      [0, { step: 300, mapStep: 300, lit: true, district: NUMBERS, lie }],
    ]);
    expect(lines.slice(2)).toEqual([
      [8, "district"],
      [12, "lie"],
    ]);
    expect(told.line?.lie).toBe(lie);
    const facts = { ...NOW, lie };
    expect(advanceIntroduction(told, facts, 3_600_000)).toBe(told);
    const next = advanceIntroduction(putLineAway(told), facts, 3_600_000);
    expect(next.line?.name).toBe("words");
    expect(advanceIntroduction(next, facts, 7_200_000)).toBe(next);
  });

  it("goes on at once from a line that was put away", () => {
    const away = putLineAway(watch(1, []).told);
    expect(away.line).toBeNull();
    expect(advanceIntroduction(away, NOW, 1_200).line?.name).toBe("nothing");
  });

  it("gives time to read every line", () => {
    const { lines } = watch(60, [[0, { step: 300, mapStep: 300, lit: true, district: NUMBERS }]]);
    const gaps = lines.slice(1).map(([at], i) => 1_000 * (at - lines[i]![0]));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(MIN_READING_TIME);
  });
});
