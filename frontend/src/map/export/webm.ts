/**
 * A WebM file of one video track, by RFC 9559 (Matroska) and RFC 8794 (EBML). A library for all containers
 * weighs more than the rest of the export.
 */

/** Identifiers of elements, named as in the RFC. */
const ID = {
  EBML: 0x1a45dfa3,
  DocType: 0x4282,
  DocTypeVersion: 0x4287,
  DocTypeReadVersion: 0x4285,
  Segment: 0x18538067,
  Info: 0x1549a966,
  TimestampScale: 0x2ad7b1,
  Duration: 0x4489,
  MuxingApp: 0x4d80,
  WritingApp: 0x5741,
  Tracks: 0x1654ae6b,
  TrackEntry: 0xae,
  TrackNumber: 0xd7,
  TrackUID: 0x73c5,
  TrackType: 0x83,
  CodecID: 0x86,
  DefaultDuration: 0x23e383,
  Video: 0xe0,
  PixelWidth: 0xb0,
  PixelHeight: 0xba,
  Colour: 0x55b0,
  MatrixCoefficients: 0x55b1,
  Range: 0x55b9,
  TransferCharacteristics: 0x55ba,
  Primaries: 0x55bb,
  Cluster: 0x1f43b675,
  Timestamp: 0xe7,
  SimpleBlock: 0xa3,
  Cues: 0x1c53bb6b,
  CuePoint: 0xbb,
  CueTime: 0xb3,
  CueTrackPositions: 0xb7,
  CueTrack: 0xf7,
  CueClusterPosition: 0xf1,
} as const;
type Name = keyof typeof ID;

/** Numbers of colour spaces, as in ITU-T H.273; 2 is unspecified. */
const MATRIX: Record<string, number> = { rgb: 0, bt709: 1, bt470bg: 5, smpte170m: 6 };
const TRANSFER: Record<string, number> = { bt709: 1, smpte170m: 6, linear: 8, "iec61966-2-1": 13 };
const PRIMARIES: Record<string, number> = { bt709: 1, bt470bg: 5, smpte170m: 6, smpte432: 12 };
const UNSPECIFIED = 2;

/** A cluster's blocks say their time, in ms, with 16 bits, one of them the sign. */
const MAX_CLUSTER_TIME = 0x7fff;

export interface Track {
  codec: "V_VP8" | "V_VP9";
  width: number;
  height: number;
  /** Frames per second. */
  frameRate: number;
  colour: VideoColorSpaceInit | undefined;
}

export interface Packet {
  data: Uint8Array<ArrayBuffer>;
  /** In ms. */
  time: number;
  key: boolean;
}

type Part = Uint8Array<ArrayBuffer>;

/** Return the parts of a WebM file; the packets are in order, and the first is a key frame. */
export function webm(track: Track, packets: readonly Packet[]): Part[] {
  const { codec, width, height, frameRate, colour } = track;
  const last = packets.at(-1)?.time ?? 0;
  const head = [
    ...element("Info", [
      ...element("TimestampScale", 1e6),
      ...element("Duration", float(last + 1e3 / frameRate)),
      ...element("MuxingApp", "Lamplighter"),
      ...element("WritingApp", "Lamplighter"),
    ]),
    ...element("Tracks", [
      ...element("TrackEntry", [
        ...element("TrackNumber", 1),
        ...element("TrackUID", 1),
        ...element("TrackType", 1),
        ...element("CodecID", codec),
        ...element("DefaultDuration", Math.round(1e9 / frameRate)),
        ...element("Video", [
          ...element("PixelWidth", width),
          ...element("PixelHeight", height),
          ...(colour ? element("Colour", colourOf(colour)) : []),
        ]),
      ]),
    ]),
  ];
  const clusters: Part[] = [];
  const cues: Part[] = [];
  let position = size(head);
  for (const cluster of clustersOf(packets)) {
    const { time, key } = cluster[0]!;
    const parts = element("Cluster", [
      ...element("Timestamp", time),
      ...cluster.flatMap((packet) => element("SimpleBlock", block(packet, time))),
    ]);
    const place = [...element("CueTrack", 1), ...element("CueClusterPosition", position)];
    if (key)
      cues.push(
        ...element("CuePoint", [
          ...element("CueTime", time),
          ...element("CueTrackPositions", place),
        ]),
      );
    clusters.push(...parts);
    position += size(parts);
  }
  return [
    ...element("EBML", [
      ...element("DocType", "webm"),
      ...element("DocTypeVersion", 4),
      ...element("DocTypeReadVersion", 2),
    ]),
    ...element("Segment", [...head, ...clusters, ...element("Cues", cues)]),
  ];
}

/** Group packets: a cluster begins at a key frame, or where its times would not fit. */
function clustersOf(packets: readonly Packet[]): Packet[][] {
  const clusters: Packet[][] = [];
  for (const packet of packets) {
    const open = clusters.at(-1);
    if (!open || packet.key || packet.time - open[0]!.time > MAX_CLUSTER_TIME)
      clusters.push([packet]);
    else open.push(packet);
  }
  return clusters;
}

function block({ data, time, key }: Packet, start: number): Part[] {
  const since = time - start;
  const trackOne = 0x81;
  return [new Uint8Array([trackOne, since >> 8, since & 0xff, key ? 0x80 : 0]), data];
}

function colourOf({ matrix, transfer, primaries, fullRange }: VideoColorSpaceInit): Part[] {
  return [
    ...element("MatrixCoefficients", MATRIX[matrix ?? ""] ?? UNSPECIFIED),
    ...element("TransferCharacteristics", TRANSFER[transfer ?? ""] ?? UNSPECIFIED),
    ...element("Primaries", PRIMARIES[primaries ?? ""] ?? UNSPECIFIED),
    ...element("Range", fullRange ? 2 : 1),
  ];
}

/** Return an element: its identifier, its length in eight bytes, its content. */
function element(name: Name, content: number | string | Part[]): Part[] {
  const parts = Array.isArray(content) ? content : [bytesOf(content)];
  const length = new DataView(new ArrayBuffer(8));
  length.setBigUint64(0, (1n << 56n) | BigInt(size(parts)));
  return [bytesOf(ID[name]), new Uint8Array(length.buffer), ...parts];
}

/** Return a text in UTF-8, or a whole number in as few bytes as it needs, the greatest first. */
function bytesOf(value: number | string): Part {
  if (typeof value === "string") return new TextEncoder().encode(value);
  const digits: number[] = [];
  for (let rest = value; rest > 0 || digits.length === 0; rest = Math.floor(rest / 256))
    digits.unshift(rest % 256);
  return new Uint8Array(digits);
}

function float(value: number): Part[] {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return [new Uint8Array(view.buffer)];
}

function size(parts: readonly Part[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}
