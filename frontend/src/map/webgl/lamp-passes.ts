/**
 * The passes that draw the lamps: unlit and lit ones on the picture, their halos and blooms on coarse cells.
 */

import type { Placement } from "../../model/plane/placement";
import type { MapRect } from "../../model/plane/viewport";
import type { Instant } from "../scene/displayed-map";
import { DARKENS, EMBER, unit } from "../palette";
import { PointBuffers } from "./point-buffers";
import { ShaderProgram } from "./program";
import { LAMP_PARTS, lampFragment, lampVertex, type Part } from "./shaders";

/** Lamplight; where lamps darken, what it leaves of white. */
const WARM_LIGHT = unit(EMBER).map((part) => Math.abs(Number(DARKENS) - part)) as [
  number,
  number,
  number,
];

/** The lamps as uploaded. */
export interface UploadedLamps {
  /** Number of lamps. */
  count: number;
  /** Number of the current beat, and the tokens it lights. */
  beat: number;
  ids: Uint32Array;
  /** The placements to glide from and to; null before the first. */
  placements: [Placement, Placement] | null;
}

/** The programs and buffers of the lamps. */
export class LampPasses {
  readonly buffers: PointBuffers;
  private readonly programs: Record<Part, ShaderProgram>;
  /** Maximum size of a point, in pixels. */
  private readonly largest: number;

  constructor(private readonly gl: WebGL2RenderingContext) {
    this.largest = (gl.getParameter(gl.ALIASED_POINT_SIZE_RANGE) as Float32Array)[1] ?? 64;
    const program = (part: Part) => new ShaderProgram(gl, lampVertex(part), lampFragment(part));
    this.programs = Object.fromEntries(
      LAMP_PARTS.map((part) => [part, program(part)]),
    ) as typeof this.programs;
    this.buffers = new PointBuffers(gl);
  }

  /** Draw one pass. `size`: pixels (on cells: cells) per design pixel; `growth`: enlargement of a lamp. */
  draw(
    part: Part,
    lamps: UploadedLamps,
    view: MapRect,
    { mixing, glow }: Instant,
    size: number,
    growth: number,
  ) {
    const { gl } = this;
    if (!lamps.placements) return;
    gl.enable(gl.BLEND);
    // Light on cells is summed; on the ground it is already tone-mapped and blends as a screen.
    const summed = part === "halo" || part === "bloom";
    gl.blendFunc(summed || !DARKENS ? gl.ONE : gl.ZERO, summed ? gl.ONE : gl.ONE_MINUS_SRC_COLOR);
    const program = this.programs[part].use();
    program.rect("fromBox", lamps.placements[0].box);
    program.rect("toBox", lamps.placements[1].box);
    program.rect("view", view);
    program.float("mixing", mixing);
    program.float("beat", lamps.beat);
    program.float("glow", glow);
    program.float("size", size * growth);
    program.float("grown", growth);
    program.float("largest", this.largest);
    program.float("dark", Number(DARKENS));
    program.vec3("warm", WARM_LIGHT);
    if (part === "unlit" || part === "halo") this.buffers.drawAll(lamps.count);
    else this.buffers.drawBatch(lamps.ids.length);
  }
}
