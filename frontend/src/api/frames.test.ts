import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { decode, decodeAll, type Frame } from "./frames";
import { FrameError } from "./binary-reader";

const GOLDEN = new URL("../../../tests/golden/", import.meta.url);
/** Kinds that `class-frames.ts` reads. */
const CLASS_KINDS: unknown[] = ["beat", "grid-layout", "grid-change"];
const expected = Object.fromEntries(
  Object.entries(
    JSON.parse(readFileSync(new URL("expected.json", GOLDEN), "utf8")) as Record<
      string,
      Record<string, unknown>
    >,
  ).filter(([, { kind }]) => !CLASS_KINDS.includes(kind)),
);

function golden(name: string): ArrayBuffer {
  const file = readFileSync(new URL(`${name}.bin`, GOLDEN));
  return file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength);
}

/** Describe a decoded frame in the words of `expected.json`. */
function plain(frame: Frame): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(frame)) {
    const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    fields[snake] = ArrayBuffer.isView(value)
      ? Array.from(value as Float32Array)
      : typeof value === "number" && !Number.isFinite(value)
        ? null
        : value;
  }
  if (frame.kind === "layout") {
    const { x0, x1, y0, y1, places } = frame;
    fields["coordinates"] = Array.from(places, (place, i) =>
      Math.fround((i % 2 ? y0 : x0) + (i % 2 ? y1 - y0 : x1 - x0) * (place / 65_535)),
    );
  }
  return fields;
}

describe("golden frames", () => {
  for (const [name, fields] of Object.entries(expected)) {
    it(name, () => {
      const read = plain(decode(golden(name)));
      for (const [field, value] of Object.entries(fields)) {
        if (field === "coordinates") {
          (value as number[]).forEach((place, i) =>
            expect((read[field] as number[])[i]).toBeCloseTo(place, 4),
          );
        } else if (field !== "vocabulary" || read[field] !== undefined) {
          expect(read[field], field).toEqual(value);
        }
      }
    });
  }

  it("marks merged pulses", () => {
    expect(decode(golden("pulse-merged"))).toMatchObject({ merged: true, firstStep: 800 });
    expect(decode(golden("pulse-batch"))).toMatchObject({ merged: false, verified: true });
  });
});

describe("frames one after the other", () => {
  it("are read each at its place", () => {
    const names = Object.keys(expected);
    const parts = names.map((name) => new Uint8Array(golden(name)));
    const all = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    expect(decodeAll(all.buffer).map(plain)).toEqual(
      names.map((name) => plain(decode(golden(name)))),
    );
    expect(decodeAll(new ArrayBuffer(0))).toEqual([]);
    expect(() => decodeAll(all.buffer.slice(0, -4))).toThrow(FrameError);
  });
});

describe("what is not a frame", () => {
  const names = Object.keys(expected);

  it("gives an error at every length but its own", () => {
    for (const name of names) {
      const data = golden(name);
      for (let length = 0; length < data.byteLength; length++) {
        expect(() => decode(data.slice(0, length)), `${name} at ${length}`).toThrow(FrameError);
      }
      const longer = new Uint8Array(data.byteLength + 4);
      longer.set(new Uint8Array(data));
      expect(() => decode(longer.buffer)).toThrow(FrameError);
    }
  });

  it("gives a frame or a FrameError, whatever the bytes are", () => {
    let seed = 7;
    const random = () => (seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0) / 2 ** 32;
    for (let round = 0; round < 4_000; round++) {
      const data = golden(names[Math.floor(random() * names.length)]!);
      const bytes = new Uint8Array(data);
      for (let flips = 1 + Math.floor(random() * 6); flips > 0; flips--) {
        const from = random() < 0.2 ? 0 : 5;
        bytes[from + Math.floor(random() * (bytes.length - from))] = Math.floor(random() * 256);
      }
      try {
        decode(data);
      } catch (error) {
        expect(error).toBeInstanceOf(FrameError);
      }
    }
  });

  it("allocates nothing for sizes that are not there", () => {
    const bytes = new Uint8Array(golden("rows-all"));
    new DataView(bytes.buffer).setUint32(24, 1 << 22, true);
    new DataView(bytes.buffer).setUint32(32, 1 << 22, true);
    expect(() => decode(bytes.buffer)).toThrow(FrameError);
  });
});
