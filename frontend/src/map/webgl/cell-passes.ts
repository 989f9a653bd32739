/**
 * The passes on the coarse grid of cells: the halos, the land's height, the blooms, and their tone mapping.
 * Wide light is drawn there, because finer cells would look the same.
 */

import type { MapRect } from "../../model/plane/viewport";
import type { DensityGrid } from "../regions/density";
import type { Instant } from "../scene/displayed-map";
import { CELL_SIDE } from "./glow-falloff";
import type { LampPasses, UploadedLamps } from "./lamp-passes";
import { ScreenProgram, type ShaderProgram } from "./program";
import {
  createRenderTarget,
  deleteRenderTarget,
  drawOnto,
  type LightFormat,
  type RenderTarget,
  createTexture,
} from "./render-target";
import { CELLS, TONE_MAPPED } from "./shaders";

/** Two textures of heights. */
class LandTextures {
  private readonly textures: [WebGLTexture, WebGLTexture];

  constructor(
    private readonly gl: WebGL2RenderingContext,
    private readonly depth: LightFormat,
  ) {
    this.textures = [this.createEmpty(), this.createEmpty()];
  }

  /** Make the new land the old one. */
  swap() {
    this.textures.reverse();
  }

  /** Upload the old land (0) or the new one (1). Return the number of bytes sent. */
  upload(slot: 0 | 1, { size, heights }: DensityGrid): number {
    const { gl } = this;
    gl.bindTexture(gl.TEXTURE_2D, this.textures[slot]);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 4);
    const format = this.depth === "full" ? gl.R32F : gl.R16F;
    gl.texImage2D(gl.TEXTURE_2D, 0, format, size, size, 0, gl.RED, gl.FLOAT, heights);
    return heights.byteLength;
  }

  /** Bind the land to a program; null if there is none yet. */
  bind(program: ShaderProgram, land: readonly [DensityGrid, DensityGrid] | null) {
    program.texture("before", 1, this.textures[0]);
    program.texture("after", 2, this.textures[1]);
    program.vec4("beforeRect", ...inverseRect(land?.[0]));
    program.vec4("afterRect", ...inverseRect(land?.[1]));
  }

  private createEmpty(): WebGLTexture {
    const { gl } = this;
    const texture = createTexture(gl);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.R16F, 1, 1, 0, gl.RED, gl.FLOAT, new Float32Array(1));
    return texture;
  }
}

/** Return the corner of a land and the inverse of its size, in map units; zeros without one. */
function inverseRect(land: DensityGrid | undefined): [number, number, number, number] {
  if (!land) return [0, 0, 0, 0];
  const { x0, x1, y0, y1 } = land.box;
  return [x0, y0, 1 / (x1 - x0), 1 / (y1 - y0)];
}

/** Cell grids: deposited halos; blurred, with the land's height; with blooms added; tone-mapped. */
type CellTargets = Record<"halos" | "unlit" | "lit" | "seen", RenderTarget>;

/**
 * Distance between the samples of the halo's blur, in cells. A halo has a variance of half a squared cell: a
 * sixth comes from dividing a lamp among its four cells, a sixth from interpolating between cells, and the
 * blur adds the rest.
 */
const SPREAD = 1 / 3;

/** Return the side of a cell in pixels. `design`: device pixels per design pixel. */
export function cellSide(design: number): number {
  return Math.max(2, Math.round(CELL_SIDE * design));
}

/** The cells of one canvas. */
export class CellPasses {
  readonly land: LandTextures;
  private readonly blurred: ScreenProgram;
  private readonly toneMapped: ScreenProgram;
  private targets: CellTargets | null = null;
  /** Inputs of the unlit cells as last drawn; they are redrawn when these change. */
  private unlitInputs = "";

  constructor(
    private readonly gl: WebGL2RenderingContext,
    private readonly depth: LightFormat,
    private readonly lampPasses: LampPasses,
  ) {
    this.blurred = new ScreenProgram(gl, CELLS);
    this.toneMapped = new ScreenProgram(gl, TONE_MAPPED);
    this.land = new LandTextures(gl, depth);
  }

  /** Draw the unlit cells again with the next frame, because lamps or land changed. */
  invalidate() {
    this.unlitInputs = "";
  }

  /**
   * Draw the cells of a picture, with blooms if `shining`. Return their tone-mapped light and the land's
   * height.
   */
  draw(
    lamps: UploadedLamps,
    land: readonly [DensityGrid, DensityGrid] | null,
    view: MapRect,
    at: Instant,
    design: number,
    growth: number,
    shining: boolean,
  ): RenderTarget {
    const { gl } = this;
    const { width, height } = gl.canvas;
    const cell = cellSide(design);
    const targets = this.targetsOf(Math.ceil(width / cell), Math.ceil(height / cell));
    const { x0, x1, y0, y1 } = view;
    // Whole cells, including those cut by the picture's edge.
    const wider = {
      x0,
      x1: x0 + ((x1 - x0) * targets.seen.width * cell) / width,
      y0,
      y1: y0 + ((y1 - y0) * targets.seen.height * cell) / height,
    };
    const size = design / cell;
    const inputs = [x0, x1, y0, y1, at.mixing, at.landProgress, size, growth].join();
    if (inputs !== this.unlitInputs) this.drawUnlit(targets, lamps, land, wider, at, size, growth);
    this.unlitInputs = inputs;
    if (shining) this.drawBlooms(targets, lamps, wider, at, size, growth);
    drawOnto(gl, targets.seen);
    gl.disable(gl.BLEND);
    const light = shining ? targets.lit : targets.unlit;
    this.toneMapped.use().texture("cells", 0, light.picture);
    this.toneMapped.fill();
    return targets.seen;
  }

  private drawUnlit(
    { halos, unlit }: CellTargets,
    lamps: UploadedLamps,
    land: readonly [DensityGrid, DensityGrid] | null,
    view: MapRect,
    at: Instant,
    size: number,
    growth: number,
  ) {
    const { gl, blurred } = this;
    drawOnto(gl, halos);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    this.lampPasses.draw("halo", lamps, view, at, size, growth);
    drawOnto(gl, unlit);
    gl.disable(gl.BLEND);
    blurred.use();
    blurred.texture("halos", 0, halos.picture);
    blurred.float("spread", SPREAD * growth);
    this.land.bind(blurred, land);
    blurred.rect("view", view);
    blurred.float("mixing", at.landProgress);
    blurred.fill();
  }

  private drawBlooms(
    { unlit, lit }: CellTargets,
    lamps: UploadedLamps,
    view: MapRect,
    at: Instant,
    size: number,
    growth: number,
  ) {
    const { gl } = this;
    const { width, height } = lit;
    drawOnto(gl, lit);
    gl.bindFramebuffer(gl.READ_FRAMEBUFFER, unlit.frame);
    gl.blitFramebuffer(0, 0, width, height, 0, 0, width, height, gl.COLOR_BUFFER_BIT, gl.NEAREST);
    this.lampPasses.draw("bloom", lamps, view, at, size, growth);
  }

  /** Return the grids, recreated if their size changed. */
  private targetsOf(width: number, height: number): CellTargets {
    const { gl, depth } = this;
    if (this.targets?.seen.width === width && this.targets.seen.height === height)
      return this.targets;
    for (const target of Object.values(this.targets ?? {})) deleteRenderTarget(gl, target);
    const target = () => createRenderTarget(gl, depth, width, height);
    this.invalidate();
    return (this.targets = { halos: target(), unlit: target(), lit: target(), seen: target() });
  }
}
