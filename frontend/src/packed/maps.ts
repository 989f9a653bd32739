/** The maps of a packed run, and their districts. */

import type { LayoutMethod } from "../api/frame-header";
import type { Districts, Frame, Layout } from "../api/frames";
import { GridLayouts } from "../api/grid-layouts";
import { readFrames, type PackedFile } from "./packed-file";

export class PackedMaps {
  private constructor(
    readonly layouts: Readonly<Record<LayoutMethod, readonly Layout[]>>,
    readonly districts: readonly Districts[],
  ) {}

  /** Decode all maps of a file. Throws `FrameError`. */
  static async open(file: PackedFile): Promise<PackedMaps> {
    const { umap, linear, districts } = file.head.parts;
    const [ofUmap, ofLinear, found] = await Promise.all([
      readLayouts(file, umap),
      readLayouts(file, linear),
      readFrames(file, districts),
    ]);
    const isDistricts = (frame: Frame) => frame.kind === "districts";
    return new PackedMaps({ umap: ofUmap, linear: ofLinear }, found.filter(isDistricts));
  }
}

async function readLayouts(file: PackedFile, names: readonly string[]): Promise<Layout[]> {
  const chain = new GridLayouts();
  const onGrid = (await readFrames(file, names)).filter(
    (frame) => frame.kind === "grid-layout" || frame.kind === "grid-change",
  );
  return onGrid.flatMap((frame) => chain.receive(frame) ?? []);
}
