import { BufferSource, EncodedPacketSink, Input, WEBM } from "mediabunny";
import { describe, expect, it } from "vitest";
import { webm, type Packet } from "./webm";

const packets: Packet[] = [0, 42, 83, 1000, 34_000, 70_000].map((time, at) => ({
  data: new Uint8Array([at, 1, 2, at]),
  time,
  key: at === 0 || at === 3,
}));
const colour = { matrix: "bt709", primaries: "bt709", transfer: "iec61966-2-1" } as const;
const track = { codec: "V_VP8", width: 320, height: 200, frameRate: 24, colour } as const;

async function read(parts: Uint8Array<ArrayBuffer>[]) {
  const source = new BufferSource(await new Blob(parts).arrayBuffer());
  const video = await new Input({ source, formats: [WEBM] }).getPrimaryVideoTrack();
  return video!;
}

describe("a WebM file", () => {
  it("is read by another program with its codec, size, colours and length", async () => {
    const video = await read(webm(track, packets));
    const size = [await video.getCodedWidth(), await video.getCodedHeight()];
    expect([await video.getCodec(), ...size]).toEqual(["vp8", 320, 200]);
    expect(await video.getColorSpace()).toMatchObject({ ...colour, fullRange: false });
    expect(await video.computeDuration()).toBeCloseTo(70 + 1 / 24, 2);
  });

  it("holds every packet at its time, also where a cluster's times end", async () => {
    const sink = new EncodedPacketSink(await read(webm(track, packets)));
    const found: Packet[] = [];
    for await (const { data, timestamp, type } of sink.packets())
      found.push({
        data: new Uint8Array(data),
        time: Math.round(timestamp * 1e3),
        key: type === "key",
      });
    expect(found).toEqual(packets);
  });

  it("is entered at the key frame before a time", async () => {
    const sink = new EncodedPacketSink(await read(webm(track, packets)));
    expect((await sink.getKeyPacket(40))?.timestamp).toBe(1);
  });
});
