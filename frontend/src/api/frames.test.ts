import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { decode, decodeAll, type Frame } from "./frames";
import { FrameError } from "./binary-reader";

const GOLDEN = new URL("../../../tests/golden/", import.meta.url);
/** Return whether `decode` does not read a frame: grid layouts, and steps merged for a slow viewer. */
const isOther = ({ kind, step, first_step: first }: Record<string, unknown>) =>
  (kind === "pulse" && first !== step) || ["grid-layout", "grid-change"].includes(String(kind));
const expected = Object.fromEntries(
  Object.entries(
    JSON.parse(readFileSync(new URL("expected.json", GOLDEN), "utf8")) as Record<
      string,
      Record<string, unknown>
    >,
  ).filter(([, fields]) => !isOther(fields)),
);

function golden(name: string): ArrayBuffer {
  const file = readFileSync(new URL(`${name}.bin`, GOLDEN));
  return file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength);
}

interface PulseFields {
  verified: boolean;
  batch_ids: number[];
  gradient_ids: number[];
  gradient_norms: number[];
  moved_ids: number[];
}

/** Return the expected fields of a frame; a pulse is read as the beat of its step. */
function expectedOf(fields: Record<string, unknown>): Record<string, unknown> {
  if (fields["kind"] !== "pulse") return fields;
  const { verified, batch_ids, gradient_ids, gradient_norms, moved_ids } =
    fields as unknown as PulseFields;
  const rows = ["verified", "gradient_ids", "moved_ids", "moved_distances"];
  const others = Object.entries(fields).filter(([name]) => !rows.includes(name));
  const outside = (ids: number[]) => ids.filter((id) => !batch_ids.includes(id)).length;
  return {
    ...Object.fromEntries(others),
    kind: "beat",
    gradient_norms: batch_ids.map((id) => gradient_norms[gradient_ids.indexOf(id)] ?? 0),
    gradient_rows: gradient_ids.length,
    moved_rows: moved_ids.length,
    drifting_rows: verified ? outside(moved_ids) : null,
    between: { ids: [], touches: [], last_lit: [], norms: [] },
    elsewhere: false,
    gradients: outside(gradient_ids) ? { ids: gradient_ids, norms: gradient_norms } : null,
  };
}

/** Describe a value in the terms of `expected.json`. */
function plainValue(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) return Array.from(value as Float32Array);
  if (typeof value === "number" && !Number.isFinite(value)) return null;
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, of]) => [
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      plainValue(of),
    ]),
  );
}

/** Describe a decoded frame in the terms of `expected.json`. */
function plain(frame: Frame): Record<string, unknown> {
  const fields = plainValue(frame) as Record<string, unknown>;
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
      for (const [field, value] of Object.entries(expectedOf(fields))) {
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

  it("rejects steps merged for a slow viewer", () => {
    expect(() => decode(golden("pulse-merged"))).toThrow(FrameError);
  });
});

describe("consecutive frames", () => {
  it("are each read in place", () => {
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

describe("bytes that are not a frame", () => {
  const names = Object.keys(expected);

  it("give an error at every other length", () => {
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

  it("give a frame or a FrameError for arbitrary bytes", () => {
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

  it("allocate nothing for sizes beyond the data", () => {
    const bytes = new Uint8Array(golden("rows-all"));
    new DataView(bytes.buffer).setUint32(24, 1 << 22, true);
    new DataView(bytes.buffer).setUint32(32, 1 << 22, true);
    expect(() => decode(bytes.buffer)).toThrow(FrameError);
    const beat = new Uint8Array(golden("beat"));
    new DataView(beat.buffer).setUint32(28, 1 << 22, true);
    new DataView(beat.buffer).setUint32(32, 1 << 22, true);
    expect(() => decode(beat.buffer)).toThrow(FrameError);
  });
});
