import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { startsExaminer } from "./examiner-start";

let sent: [string, string | undefined][];

beforeEach(() => {
  sent = [];
  vi.useFakeTimers();
  vi.stubGlobal("location", { pathname: "/", search: "" });
  vi.stubGlobal("fetch", (path: string, { method }: RequestInit = {}) => {
    sent.push([path, method]);
    return Promise.resolve(new Response(null, { status: 204 }));
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** Return the function that fires an event at an element of a run, after which `ms` pass. */
function elementOf(run: string) {
  const element = new EventTarget();
  const detach = startsExaminer({ id: run })(element as HTMLElement)!;
  const fire = (type: string, ms = 0) => {
    element.dispatchEvent(new Event(type));
    vi.advanceTimersByTime(ms);
  };
  return { fire, detach };
}

it("starts with the focus, and not again while the examiner stays", () => {
  const { fire } = elementOf("one");
  expect(sent).toEqual([]);
  fire("focusin");
  fire("focusin", 299_000);
  expect(sent).toEqual([["/api/runs/one/examiner", "POST"]]);
  fire("focusin", 2_000);
  fire("focusin");
  expect(sent).toHaveLength(2);
});

it("starts where a pointer rests, not where one passes", () => {
  const { fire, detach } = elementOf("two");
  fire("pointerenter", 100);
  fire("pointerleave", 1_000);
  expect(sent).toEqual([]);
  fire("pointerenter", 200);
  expect(sent).toHaveLength(1);
  detach();
  vi.advanceTimersByTime(400_000);
  fire("focusin");
  expect(sent).toHaveLength(1);
});
