import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FrameError } from "./binary-reader";
import { decodeEnvelope } from "./envelope";
import { decode } from "./frames";
import { decodeGridFrame } from "./grid-frames";

const GOLDEN = new URL("../../../tests/golden/", import.meta.url);
const expected = JSON.parse(readFileSync(new URL("expected.json", GOLDEN), "utf8")) as Record<
  string,
  Record<string, unknown>
>;
const names = ["grid-layout", "grid-change", "grid-changed"];

function golden(name: string): ArrayBuffer {
  const file = readFileSync(new URL(`${name}.bin`, GOLDEN));
  return file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength);
}

/** Describe a value in the terms of `expected.json`. */
function plain(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) return Array.from(value as Float32Array);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, of]) => [
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      plain(of),
    ]),
  );
}

describe("golden layouts on a grid", () => {
  for (const name of names) {
    it(name, () => {
      const read = plain(decodeGridFrame(golden(name))) as Record<string, unknown>;
      const { x0, x1, y0, y1 } = read;
      for (const [field, value] of Object.entries(expected[name]!)) {
        expect(field === "grid" ? { x0, x1, y0, y1 } : read[field], field).toEqual(value);
      }
    });
  }
});

function random(seed: number) {
  let state = seed;
  return () => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) / 2 ** 32;
}

/** Change some bytes from a position on. */
function damage(bytes: Uint8Array, from: number, next: () => number) {
  for (let flips = 1 + Math.floor(next() * 6); flips > 0; flips--) {
    bytes[from + Math.floor(next() * (bytes.length - from))] = Math.floor(next() * 256);
  }
}

describe("bytes that are not a grid layout", () => {
  it("give an error at every other length", () => {
    for (const name of names) {
      const data = golden(name);
      for (let length = 0; length < data.byteLength; length++) {
        expect(() => decodeGridFrame(data.slice(0, length)), name).toThrow(FrameError);
      }
      const longer = new Uint8Array(data.byteLength + 4);
      longer.set(new Uint8Array(data));
      expect(() => decodeGridFrame(longer.buffer)).toThrow(FrameError);
    }
    expect(() => decodeGridFrame(golden("pulse-batch"))).toThrow(FrameError);
  });

  it("give a frame or a FrameError for arbitrary bytes", () => {
    const next = random(7);
    for (let round = 0; round < 4_000; round++) {
      const data = golden(names[Math.floor(next() * names.length)]!);
      damage(new Uint8Array(data), next() < 0.2 ? 0 : 6, next);
      try {
        decodeGridFrame(data);
      } catch (error) {
        expect(error).toBeInstanceOf(FrameError);
      }
    }
  });
});

/** Return an uncompressed envelope of parts. */
function seal(...parts: Uint8Array[]): ArrayBuffer {
  const bytes = [1, 0];
  for (const part of parts) {
    bytes.push(...new Uint8Array(Uint32Array.of(part.length).buffer), ...part);
  }
  return Uint8Array.from(bytes).buffer;
}

describe("an envelope", () => {
  it("yields frames and messages in order", async () => {
    const parts = await decodeEnvelope(golden("envelope-deflated"));
    expect(parts).toEqual([
      decode(golden("beat")),
      decodeGridFrame(golden("grid-change")),
      { type: "status", status: null },
    ]);
    expect(await decodeEnvelope(golden("envelope-plain"))).toEqual([{}]);
    expect(await decodeEnvelope(Uint8Array.of(1, 0).buffer)).toEqual([]);
  });

  it("holds frames of every kind", async () => {
    const kinds = ["pulse-batch", "census", "districts", "grid-layout"];
    const sealed = seal(...kinds.map((name) => new Uint8Array(golden(name))));
    const frames = (await decodeEnvelope(sealed)) as { kind: string }[];
    expect(frames.map(({ kind }) => kind)).toEqual(["beat", "census", "districts", "grid-layout"]);
  });

  it("is rejected with a FrameError if it is damaged", async () => {
    const next = random(5);
    for (let round = 0; round < 600; round++) {
      const whole = golden(round % 2 ? "envelope-deflated" : "envelope-plain");
      const data = next() < 0.3 ? whole.slice(0, Math.floor(next() * whole.byteLength)) : whole;
      if (data.byteLength) damage(new Uint8Array(data), 0, next);
      await decodeEnvelope(data).catch((error: unknown) => {
        expect(error).toBeInstanceOf(FrameError);
      });
    }
  });

  it("may not declare a part longer than the message", async () => {
    const sealed = new Uint8Array(seal(new Uint8Array(golden("beat"))));
    sealed[5] = 1;
    await expect(decodeEnvelope(sealed.buffer)).rejects.toThrow(FrameError);
    const empty = seal(...Array.from({ length: 1_001 }, () => new Uint8Array(0)));
    await expect(decodeEnvelope(empty)).rejects.toThrow(FrameError);
  });

  it("is not inflated beyond the memory of a page", async () => {
    const stream = new Blob([new Uint8Array(65 << 20)]).stream();
    const deflated = stream.pipeThrough(new CompressionStream("deflate-raw"));
    const body = new Uint8Array(await new Response(deflated).arrayBuffer());
    const sealed = Uint8Array.from([1, 1, ...body]);
    await expect(decodeEnvelope(sealed.buffer)).rejects.toThrow("too large");
  });
});
