import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { OddOneOut, type GameAnswer } from "./odd-one-out.svelte";
import { Scores } from "./scores.svelte";
import { game } from "./game.strings";
import { guessingTail } from "./guessing";

describe("what a game is told to be worth", () => {
  it("says how often guessing gets that far", () => {
    expect(game.often(1)).toBe("every game");
    expect(game.often(0.999)).toBe("nearly every game");
    expect(game.often(0.1182)).toBe("12 of 100 games");
    expect(game.often(0.0035)).toBe("4 of 1,000 games");
    expect(game.often(0)).toBe("less than 1 of 1,000 games");
  });

  it("says when luck is an explanation", () => {
    expect(game.tail(0.0781)).toContain("luck can explain");
    expect(game.tail(0.0197)).toContain("Luck hardly");
  });

  it("names what guessing would get", () => {
    expect(game.score(7, 10, 0.25)).toBe("7 of 10 right. Guessing would get 2.5.");
    expect(game.soFar(0, 4, 0.25)).toBe("0 right so far. Guessing would get 1.");
  });
});

describe("guessing", () => {
  it("reaches a score with the binomial probability", () => {
    expect(guessingTail(0, 10, 0.25)).toBe(1);
    expect(guessingTail(1, 1, 0.25)).toBeCloseTo(0.25, 12);
    expect(guessingTail(1, 2, 0.25)).toBeCloseTo(1 - 0.75 ** 2, 12);
    expect(guessingTail(10, 10, 0.25)).toBeCloseTo(0.25 ** 10, 15);
    // 10 choose 9, times 3, and the one way to get all ten.
    expect(guessingTail(9, 10, 0.25)).toBeCloseTo(31 / 4 ** 10, 15);
  });

  it("works for very many rounds", () => {
    expect(guessingTail(2_500, 10_000, 0.25)).toBeCloseTo(0.5, 1);
    expect(guessingTail(9_000, 10_000, 0.25)).toBe(0);
  });
});

const word = (token_id: number) => ({ token_id, token: `w${token_id}`, class: null });
const round = (odd: number, from: number) => ({
  words: [0, 1, 2, 3].map((at) => word(from + at)),
  odd,
  cosine: [],
});
const ANSWER: GameAnswer = {
  ...{ attempt: 1, step: 90, exact: false, seed: 0, chance: 0.25 },
  rounds: [round(2, 10), round(0, 20)],
};

let asked: string[];
let kept: Map<string, string>;
const runOf = () => ({
  id: "run",
  ringed: new Map<number, number>() as ReadonlyMap<number, number>,
});

async function begin(run = runOf(), step = 100) {
  const game = OddOneOut.of(run);
  game.start(step);
  await vi.waitUntil(() => game.round);
  return game;
}

beforeEach(() => {
  asked = [];
  kept = new Map();
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
  });
  vi.stubGlobal("fetch", (path: string) => {
    asked.push(path);
    return Promise.resolve(Response.json(ANSWER));
  });
});
afterEach(() => void vi.unstubAllGlobals());

describe("a game of Odd one out", () => {
  it("counts the first answer of each round, and ends after the last", async () => {
    const game = await begin();
    game.next();
    expect(game.place).toBe(0);
    game.answer(2);
    game.answer(1);
    expect([game.chosen, game.right]).toEqual([2, 1]);
    game.next();
    game.answer(9);
    expect(game.chosen).toBe(null);
    game.answer(3);
    expect([game.right, game.over]).toEqual([1, false]);
    game.next();
    expect([game.over, game.round]).toEqual([true, null]);
    expect(game.scores.all).toEqual([
      { asked: 100, step: 90, games: 1, right: 1, rounds: 2, chance: 0.25 },
    ]);
  });

  it("rings the words on the map after the answer, the odd one wider, then returns the map", async () => {
    const run = runOf();
    const game = await begin(run);
    game.ring();
    expect(run.ringed.size).toBe(0);
    game.answer(0);
    game.ring();
    expect([...run.ringed.keys()]).toEqual([10, 11, 12, 13]);
    expect(run.ringed.get(12)!).toBeGreaterThan(run.ringed.get(10)!);
    game.unring();
    expect(run.ringed.size).toBe(0);
  });

  it("has other words the second time, and the same first words for every player", async () => {
    const run = runOf();
    const game = await begin(run);
    for (const odd of [2, 0]) {
      game.answer(odd);
      game.next();
    }
    game.start(100);
    game.start(0);
    await vi.waitUntil(() => asked.length === 3);
    expect(asked.map((path) => /step.*/.exec(path)![0])).toEqual([
      "step=100&seed=0",
      "step=100&seed=1",
      "step=0&seed=0",
    ]);
    // A player who returns to the panel continues the same game.
    expect(OddOneOut.of(run)).toBe(game);
  });
});

describe("scores", () => {
  it("add up by the requested step, and survive a reload", () => {
    const scores = new Scores("run");
    const game = { asked: 0, step: 0, games: 1, right: 3, rounds: 10, chance: 0.25 };
    scores.add(game);
    scores.add({ ...game, asked: 50, step: 50, right: 9 });
    scores.add(game);
    const again = new Scores("run");
    expect(again.all.map(({ step, right, rounds, games }) => [step, right, rounds, games])).toEqual(
      [
        [50, 9, 10, 1],
        [0, 6, 20, 2],
      ],
    );
    expect(new Scores("another").all).toEqual([]);
    for (let step = 0; step < 20; step++) scores.add({ ...game, asked: step, step });
    expect(new Scores("run").all).toHaveLength(8);
  });

  it("that were corrupted in storage are ignored", () => {
    const good = { asked: 0, step: 0, games: 1, right: 1, rounds: 2, chance: 0.25 };
    for (const bad of [
      "{",
      "{}",
      '[["run",3]]',
      JSON.stringify([["run", [{ ...good, right: 3 }]]]),
      JSON.stringify([["run", [{ ...good, chance: 1 }]]]),
      JSON.stringify([["run", [{ ...good, step: -1 }]]]),
      JSON.stringify([["run", [null]]]),
    ]) {
      kept.set("lamplighter.odd-one-out", bad);
      expect(new Scores("run").all).toEqual([]);
    }
    kept.set("lamplighter.odd-one-out", JSON.stringify([["run", [good]]]));
    expect(new Scores("run").all).toEqual([good]);
  });
});
