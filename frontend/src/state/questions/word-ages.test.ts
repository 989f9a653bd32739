import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AnswerTo, Examination } from "../../api/rest-types";
import type { LiveRun } from "../run/live-run.svelte";
import { loadAges, showAges } from "./word-ages";

const answer = (ages: (number | null)[]) =>
  ({ kind: "acquisition", words: ages.map((age, id) => ({ id, age })) }) as AnswerTo<"acquisition">;
const asked = (id: string, step: number, state = "done") =>
  ({ id, step, state, kind: "acquisition" }) as Examination;

let run: LiveRun;

beforeEach(() => {
  run = { id: "r", vocabulary: { tokens: ["a", "b", "c"] }, ages: null } as unknown as LiveRun;
  vi.stubGlobal("location", { pathname: "/", search: "" });
});
afterEach(() => void vi.unstubAllGlobals());

describe("the ages of words", () => {
  it("are by token, and those of unknown ids are dropped", () => {
    showAges(run, answer([20, null, 300, 4]));
    expect([...run.ages!]).toEqual([20, NaN, 300]);
  });

  it("are those of the last answer; without one there are none", async () => {
    let items = [asked("a", 500), asked("b", 5_000), asked("c", 9_000, "running")];
    vi.stubGlobal("fetch", (path: string) => {
      const body = path.endsWith("examinations")
        ? { items }
        : { answer: answer(path.endsWith("/b") ? [7] : [1]) };
      return Promise.resolve(new Response(JSON.stringify(body)));
    });
    await loadAges(run);
    expect(run.ages?.[0]).toBe(7);
    run.ages = null;
    items = items.slice(2);
    await loadAges(run);
    expect(run.ages).toBeNull();
  });
});
