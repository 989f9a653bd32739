import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Games } from "./games.svelte";
import { WAY_SCORES, type NavigatorAnswer } from "./neighbour-navigator.svelte";
import { Scores } from "./scores.svelte";

const word = (token_id: number) => ({ token_id, token: `w${token_id}`, class: null });
/** From 10 by 11 or 12 to 13; 14 leads back to the start alone. */
const ANSWER: NavigatorAnswer = {
  ...{ attempt: 1, step: 90, exact: false, seed: 0, words: 5, playing: 5 },
  game: {
    ...{ start: word(10), goal: word(13), way: [10, 11, 13], token_ids: [10, 11, 12, 14, 13] },
    neighbours: [
      [11, 14],
      [13, 10],
      [14, 13],
      [10, 12],
      [12, 11],
    ],
    chance: [0, 0, 0.5, 0.5, 0.75, 0.75],
  },
};

let asked: string[];
let kept: Map<string, string>;
let answer: NavigatorAnswer;
const runOf = () => ({
  id: "run",
  ringed: new Map<number, number>() as ReadonlyMap<number, number>,
});

async function begin(run = runOf(), step = 100) {
  const game = Games.of(run).navigator;
  game.start(step);
  await vi.waitUntil(() => game.query.value);
  return game;
}

beforeEach(() => {
  asked = [];
  kept = new Map();
  answer = ANSWER;
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
  });
  vi.stubGlobal("fetch", (path: string) => {
    asked.push(path);
    return Promise.resolve(Response.json(answer));
  });
});
afterEach(() => void vi.unstubAllGlobals());

describe("a game of Neighbour navigator", () => {
  it("goes from neighbour to neighbour until it is at the goal", async () => {
    const game = await begin();
    expect([game.fewest, game.mostMoves, game.neighbours]).toEqual([2, 5, [11, 14]]);
    // No neighbour.
    game.go(13);
    game.go(undefined);
    expect(game.way).toEqual([10]);
    game.go(11);
    expect([game.way, game.neighbours, game.reached]).toEqual([[10, 11], [13, 10], false]);
    game.go(13);
    expect([game.reached, game.over, game.moves, game.luck]).toEqual([true, true, 2, 0.5]);
    expect(game.scores.all).toEqual([
      { asked: 100, step: 90, games: 1, reached: 1, moves: 2, fewest: 2, luck: 0.5 },
    ]);
    // What is over stays as it is.
    game.goBack();
    game.giveUp();
    expect([game.way, game.scores.all[0]!.games]).toEqual([[10, 11, 13], 1]);
  });

  it("goes back, and counts the move all the same", async () => {
    const game = await begin();
    game.goBack();
    expect(game.way).toEqual([10]);
    game.go(14);
    game.goBack();
    expect([game.way, game.moves]).toEqual([[10], 1]);
    game.go(11);
    game.go(13);
    expect([game.moves, game.luck]).toEqual([3, 0.5]);
  });

  it("that is given up, or has no move left, counts as one that luck does as well", async () => {
    const run = runOf();
    const game = await begin(run);
    game.go(14);
    game.giveUp();
    game.go(10);
    expect([game.over, game.reached, game.way]).toEqual([true, false, [10, 14]]);
    await begin(run);
    for (const id of [14, 10, 14, 10, 14]) game.go(id);
    expect([game.over, game.reached]).toEqual([true, false]);
    await begin(run);
    game.go(11);
    game.go(13);
    expect(game.scores.all).toEqual([
      { asked: 100, step: 90, games: 3, reached: 1, moves: 2, fewest: 2, luck: 2.5 },
    ]);
    expect(asked.map((path) => /step.*/.exec(path)![0])).toEqual([
      "step=100&seed=0",
      "step=100&seed=1",
      "step=100&seed=2",
    ]);
  });

  it("rings the goal, the word one stands on and the way, and once given up a shortest way", async () => {
    const run = runOf();
    const game = await begin(run);
    game.go(14);
    game.ring();
    expect([...run.ringed.keys()]).toEqual([13, 14, 10]);
    const [goal, place, way] = [...run.ringed.values()];
    expect(goal! > place! && place! > way!).toBe(true);
    game.giveUp();
    game.ring();
    expect([...run.ringed.keys()]).toEqual([13, 10, 11]);
    game.unring();
    expect(run.ringed.size).toBe(0);
  });

  it("is none where no goal can be reached", async () => {
    answer = { ...ANSWER, game: null };
    const game = await begin();
    game.giveUp();
    game.ring();
    expect([game.game, game.way, game.over, game.scores.all]).toEqual([null, [], false, []]);
  });
});

it("scores that somebody has written over are none", () => {
  const good = { asked: 0, step: 0, games: 2, reached: 1, moves: 5, fewest: 3, luck: 1.2 };
  for (const bad of [{ reached: 3 }, { fewest: 6 }, { luck: 3 }, { luck: null }, { moves: -1 }]) {
    kept.set(WAY_SCORES.key, JSON.stringify([["run", [{ ...good, ...bad }]]]));
    expect(new Scores("run", WAY_SCORES).all).toEqual([]);
  }
  kept.set(WAY_SCORES.key, JSON.stringify([["run", [good]]]));
  expect(new Scores("run", WAY_SCORES).all).toEqual([good]);
});
