import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FrameError } from "./binary-reader";
import { openStream } from "./class-stream";

function golden(name: string): Uint8Array {
  return readFileSync(new URL(`../../../tests/golden/${name}.bin`, import.meta.url));
}

/** Return an uncompressed envelope of these parts. */
function envelope(...parts: Uint8Array[]): ArrayBuffer {
  const bytes = [1, 0];
  for (const part of parts) {
    const length = Uint32Array.of(part.length);
    bytes.push(...new Uint8Array(length.buffer), ...part);
  }
  return Uint8Array.from(bytes).buffer;
}

const text = new TextEncoder().encode('{"type":"live","step":7}');

describe("the stream of a class", () => {
  it("yields whole layouts from changes, and everything else unchanged", async () => {
    const open = openStream();
    const first = await open(envelope(golden("grid-layout"), text, golden("beat")));
    expect(first.map((part) => ("kind" in part ? part.kind : part.type))).toEqual([
      ...["layout", "live", "beat"],
    ]);
    const [changed] = await open(envelope(golden("grid-change")));
    const [whole] = await openStream()(envelope(golden("grid-changed")));
    expect(changed).toEqual(whole);
    expect(changed).toMatchObject({ kind: "layout", step: 820 });
  });

  it("drops a layout change whose base this connection lacks", async () => {
    expect(await openStream()(envelope(golden("grid-change"), text))).toEqual([
      { type: "live", step: 7 },
    ]);
  });

  it("rejects damaged data", async () => {
    await expect(openStream()(Uint8Array.of(1, 0, 9, 9).buffer)).rejects.toThrow(FrameError);
  });
});
