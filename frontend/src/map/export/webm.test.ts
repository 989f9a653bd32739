import { expect, it } from "vitest";
import { writeWebm } from "./webm";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

it("is a file whose table points at the clusters, with its length in it", () => {
  const frame = (time: number, key: boolean, byte: number) => {
    return { time, key, bytes: Uint8Array.of(byte, byte, byte) };
  };
  const frames = [frame(0, true, 1), frame(500, false, 2), frame(1000, true, 3)];
  const file = writeWebm(frames, { codec: "V_VP8", width: 1280, height: 720, duration: 1_500 });
  const words = hex(file);
  expect(words.startsWith("1a45dfa3")).toBe(true);
  // 1500.0 as a double; the codec; the width.
  expect(words).toContain("44890100000000000008409770");
  expect(words).toContain(hex(new TextEncoder().encode("V_VP8")));
  const body = words.indexOf("18538067") / 2 + 12;
  expect(new DataView(file.buffer).getUint32(body - 4)).toBe(file.length - body);
  const clusters = [...words.matchAll(/1f43b675/g)].map(({ index }) => index / 2 - body);
  expect(clusters).toHaveLength(2);
  const cues = words.slice(words.indexOf("1c53bb6b"));
  for (const at of clusters) expect(cues).toContain(at.toString(16));
  // The second frame: track 1, 500 ms after its cluster, no key frame.
  expect(words).toContain("8101f400020202");
});
