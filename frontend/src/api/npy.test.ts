import { afterEach, describe, expect, it, vi } from "vitest";
import { parseNpy, requestArray } from "./npy";

function npy(head: string, numbers: number[]): ArrayBuffer {
  const words = new TextEncoder().encode(head);
  const bytes = new Uint8Array(10 + words.length + 4 * numbers.length);
  bytes.set([0x93, ...new TextEncoder().encode("NUMPY"), 1, 0]);
  new DataView(bytes.buffer).setUint16(8, words.length, true);
  bytes.set(words, 10);
  bytes.set(new Uint8Array(Float32Array.from(numbers).buffer), 10 + words.length);
  return bytes.buffer;
}

const HEAD = "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }\n";

afterEach(() => vi.unstubAllGlobals());

describe("npy", () => {
  it("yields the numbers wherever the header ends", () => {
    for (const head of [HEAD, ` ${HEAD}`]) {
      expect([...parseNpy(npy(head, [1, -2.5, 3]))]).toEqual([1, -2.5, 3]);
    }
  });

  it("yields the rows of two axes one after another", () => {
    const head = HEAD.replace("(3,)", "(2, 2)");
    expect([...parseNpy(npy(head, [1, 2, 3, 4]))]).toEqual([1, 2, 3, 4]);
    const columns = head.replace("False", "True");
    expect(() => parseNpy(npy(columns, [1, 2, 3, 4]))).toThrow(RangeError);
  });

  it("rejects everything else", () => {
    const others = [
      new ArrayBuffer(4),
      npy(HEAD, [1, 2]),
      npy(HEAD.replace("<f4", "<f8"), [1, 2, 3]),
      npy(HEAD.replace("(3,)", "(3, 1, 1)"), [1, 2, 3]),
      npy(HEAD, [1, 2, 3]).slice(0, 20),
    ];
    for (const data of others) expect(() => parseNpy(data)).toThrow(RangeError);
  });

  it("comes with the steps that its HTTP headers name, and only those", async () => {
    const named: Record<string, string>[] = [
      { "X-Lamplighter-From": "3", "X-Lamplighter-Step": "12" },
      { "X-Lamplighter-Step": "0" },
      { "X-Lamplighter-From": "", "X-Lamplighter-Step": "-1" },
    ];
    const answers = named.map((headers) => new Response(npy(HEAD, [1, 2, 3]), { headers }));
    vi.stubGlobal("fetch", () => Promise.resolve(answers.shift()));
    const { signal } = new AbortController();
    const first = await requestArray("/some", signal);
    expect([...first.numbers]).toEqual([1, 2, 3]);
    expect([first.from, first.step]).toEqual([3, 12]);
    expect(await requestArray("/some", signal)).toMatchObject({ from: null, step: 0 });
    expect(await requestArray("/some", signal)).toMatchObject({ from: null, step: null });
  });
});
