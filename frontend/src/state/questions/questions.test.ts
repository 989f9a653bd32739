import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Examination } from "../../api/rest-types";
import type { LiveRun } from "../run/live-run.svelte";
import { Questions } from "./questions.svelte";

const QUESTION = { kind: "speak", step: 5, prompt: "the dog", words: 12 } as const;
const waiting = {
  ...{ id: "a", kind: "speak", step: 5, attempt: 1, question: QUESTION, state: "waiting" },
  ...{ share: 0, activity: "", problem: null, made: null },
} as Examination;
const done: Examination = { ...waiting, state: "done", share: 1, made: 1 };

/** Requests sent, and the responses to the next ones. */
let sent: [string, string, unknown][];
let responses: [number, unknown][];
let run: LiveRun;

const tell = (one: Examination) => run.examined.forEach((hear) => hear(one));

beforeEach(() => {
  sent = [];
  responses = [];
  run = { id: "r", examined: new Set() } as unknown as LiveRun;
  vi.stubGlobal("location", { pathname: "/", search: "" });
  vi.stubGlobal("fetch", (path: string, { method = "GET", body }: RequestInit = {}) => {
    sent.push([method, path, body ? JSON.parse(body as string) : null]);
    const [status, json] = responses.shift()!;
    return Promise.resolve(new Response(JSON.stringify(json), { status }));
  });
});
afterEach(() => void vi.unstubAllGlobals());

describe("a question", () => {
  it("is sent, followed by messages, and its answer is fetched once", async () => {
    const questions = new Questions(run);
    responses = [[202, waiting]];
    await questions.ask(QUESTION, 7);
    expect(sent).toEqual([["POST", "/api/runs/r/examinations", QUESTION]]);
    expect(questions.asked).toEqual({ id: "a", displayed: 7 });
    await questions.want(waiting);
    expect(sent).toHaveLength(1);
    tell(done);
    expect(questions.items).toEqual([done]);
    responses = [[200, { ...done, answer: { prompt: [1] } }]];
    await Promise.all([questions.want(done), questions.want(done)]);
    await questions.want(done);
    expect(sent.slice(1)).toEqual([["GET", "/api/runs/r/examinations/a", null]]);
    expect(questions.answers.get("a")).toEqual({ prompt: [1] });
  });

  it("is received wherever questions are asked, until that panel is closed", () => {
    const [first, second] = [new Questions(run), new Questions(run)];
    tell(waiting);
    second.close();
    tell(done);
    expect([first.items, second.items]).toEqual([[done], [waiting]]);
  });

  it("stays answered if the answer comes before the response", async () => {
    const questions = new Questions(run);
    responses = [[202, waiting]];
    const asking = questions.ask(QUESTION, 7);
    tell(done);
    await asking;
    expect(questions.items).toEqual([done]);
    expect(questions.asked?.id).toBe("a");
  });

  it("has a reason if refused, and is sent again unchanged if it must be confirmed", async () => {
    const questions = new Questions(run);
    const detail = "This run was imported.";
    responses = [
      [409, { detail, errors: [{ field: "confirmed", message: detail }] }],
      [202, waiting],
      [422, { detail: "this model never read 'xyzzy'" }],
    ];
    await questions.ask(QUESTION, 7);
    expect(questions.problem).toEqual({ code: "unconfirmed", reason: detail });
    await questions.confirm();
    expect(sent[1]).toEqual(["POST", "/api/runs/r/examinations", { ...QUESTION, confirmed: true }]);
    expect(questions.problem).toBeNull();
    await questions.ask({ ...QUESTION, prompt: "xyzzy" }, 7);
    expect(questions.problem).toEqual({ code: "said", reason: "this model never read 'xyzzy'" });
    // A question that needs no confirmation is not sent again.
    await questions.confirm();
    expect(sent).toHaveLength(3);
  });
});
