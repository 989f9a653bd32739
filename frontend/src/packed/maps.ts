/** The maps of a run in a file, and the districts found in it. */

import type { LayoutMethod } from "../api/frame-header";
import { decodeEnvelope } from "../api/envelope";
import type { Districts, Layout } from "../api/frames";
import { GridLayouts } from "../api/grid-layouts";
import type { PackedFile } from "./packed-file";

export class PackedMaps {
  private constructor(
    readonly layouts: Readonly<Record<LayoutMethod, readonly Layout[]>>,
    readonly districts: readonly Districts[],
  ) {}

  /** Decode all of them. Throws `FrameError`. */
  static async open(file: PackedFile): Promise<PackedMaps> {
    const { umap, linear, districts } = file.head.parts;
    const layouts = {
      umap: await readLayouts(file, umap),
      linear: await readLayouts(file, linear),
    };
    return new PackedMaps(layouts, await readDistricts(file, districts));
  }
}

async function readLayouts(file: PackedFile, names: readonly string[]): Promise<Layout[]> {
  const chain = new GridLayouts();
  const found: Layout[] = [];
  for (const name of names) {
    for (const part of await decodeEnvelope(file.bytes(name))) {
      if ("type" in part || (part.kind !== "grid-layout" && part.kind !== "grid-change")) continue;
      const layout = chain.receive(part);
      if (layout) found.push(layout);
    }
  }
  return found;
}

async function readDistricts(file: PackedFile, names: readonly string[]): Promise<Districts[]> {
  const found: Districts[] = [];
  for (const name of names) {
    for (const part of await decodeEnvelope(file.bytes(name)))
      if (!("type" in part) && part.kind === "districts") found.push(part);
  }
  return found;
}
