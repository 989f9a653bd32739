/**
 * A WebGL2 renderer of the lamps and the land beneath them, on one canvas.
 *
 * Wide features (halos, blooms, the land's height) are drawn on a coarse grid of cells. The ground seen
 * through them, and the lamps upon it, then go straight to the canvas: each pixel is drawn once, and again
 * only where there are lamps.
 *
 * It knows positions, tints, lit lamps and a view, but neither runs nor figures. Uploads happen when data
 * arrives; drawing a frame uploads nothing. All data is kept, so that a lost context can be restored.
 */

import { PointBuffers } from "./point-buffers";
import { CELL_SIDE } from "./glow-falloff";
import { INK, unit } from "../palette";
import type { Placement } from "../../model/placement";
import type { MapRect } from "../../model/viewport";
import { ShaderProgram } from "./program";
import type { DensityGrid } from "../regions/density";
import {
  CELLS,
  GROUND,
  lampFragment,
  lampVertex,
  LAMP_PARTS,
  SCREEN,
  TONE_MAPPED,
  type Part,
} from "./shaders";
import {
  chooseLightFormat,
  deleteRenderTarget,
  createRenderTarget,
  createTexture,
  type LightFormat,
  type RenderTarget,
} from "./render-target";

/** The state of the animation at one instant. */
export interface RenderState {
  view: MapRect;
  /** Progress of the glide from the last layout to this one, 0 to 1. */
  mixing: number;
  /** Progress of the land, which starts a moment later, 0 to 1. */
  landProgress: number;
  /** Brightness of the current beat, 0 to 1. */
  glow: number;
}

/**
 * Distance between the samples of the halo's blur, in cells. A halo has a variance of half a squared cell: a
 * sixth comes from sharing a lamp among its four cells, a sixth from interpolating between cells, and the
 * blur adds the rest.
 */
const SPREAD = 1 / 3;

/** The renderer of one canvas. */
export class PointRenderer {
  /** Bytes sent to the GPU since the start. */
  uploaded = 0;
  beat = 0;
  /** True while the context is lost; nothing is drawn until the browser restores it. */
  lost = false;
  private readonly gl: WebGL2RenderingContext;
  private programs!: Record<"cells" | "seen" | "ground", ShaderProgram>;
  private lamps!: Record<Part, ShaderProgram>;
  private buffers!: PointBuffers;
  private screen!: WebGLVertexArrayObject;
  private landTextures!: [WebGLTexture, WebGLTexture];
  /** Cell grids: deposited halos; blurred, with the land's height; with blooms added; tone-mapped. */
  private cells: Record<"halos" | "unlit" | "lit" | "seen", RenderTarget> | null = null;
  private depth: LightFormat = "bytes";
  private largest = 64;
  /** Inputs of the unlit cells as last drawn; they are redrawn when these change. */
  private unlitInputs = "";

  private count = 0;
  private tints: Uint8Array = new Uint8Array(0);
  private lit: Float32Array = new Float32Array(0);
  private ids: Uint32Array = new Uint32Array(0);
  private placements: [Placement, Placement] | null = null;
  private land: [DensityGrid, DensityGrid] | null = null;

  /**
   * Compile the shaders and allocate the buffers. `changed` is called when the context is lost, and when it
   * is restored.
   *
   * @throws Error if there is no WebGL2.
   */
  constructor(
    readonly canvas: HTMLCanvasElement,
    changed: () => void,
  ) {
    const gl = canvas.getContext("webgl2", {
      alpha: false,
      antialias: false,
      depth: false,
      powerPreference: "high-performance",
    });
    if (!gl) throw new Error("no WebGL2");
    this.gl = gl;
    this.initGl();
    canvas.addEventListener("webglcontextlost", (event) => {
      // Without this the browser would not restore the context.
      event.preventDefault();
      this.lost = true;
      changed();
    });
    canvas.addEventListener("webglcontextrestored", () => {
      this.lost = false;
      this.initGl();
      this.restore();
      changed();
    });
  }

  /** Switch to another vocabulary. `tints`: four bytes per token (rgb, unlit brightness). */
  setTokens(tints: Uint8Array) {
    this.count = tints.length / 4;
    this.lit = new Float32Array(2 * this.count).fill(-1);
    this.ids = new Uint32Array(0);
    this.placements = this.land = null;
    this.setTints(tints);
    this.upload("lit", this.lit);
  }

  setTints(tints: Uint8Array) {
    this.tints = tints;
    this.upload("tint", tints);
  }

  /**
   * Set the placement to glide to. `last` is the one to glide from, unless it is the placement shown before.
   */
  setPlacement(next: Placement, last?: Placement) {
    const shown = this.placements?.[1];
    const from = last ?? shown ?? next;
    if (from === shown) this.buffers.swap();
    else this.upload("from", from.places);
    this.placements = [from, next];
    this.upload("to", next.places);
  }

  /** Set the land of the placement just set. */
  setLand(land: DensityGrid) {
    const last = this.land?.[1] ?? land;
    this.landTextures.reverse();
    this.land = [last, land];
    if (last === land) this.uploadLand(0, land);
    this.uploadLand(1, land);
  }

  /** Light these rows, each by its strength (0 to 1), and no others. */
  setLit(ids: Uint32Array, strengths: Float32Array) {
    this.beat += 1;
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i]!;
      this.lit[2 * id] = this.beat;
      this.lit[2 * id + 1] = strengths[i]!;
    }
    this.ids = ids;
    this.upload("lit", this.lit);
    if (!this.lost) this.uploaded += this.buffers.uploadBatch(ids);
  }

  /** Copy everything that another renderer shows, to draw it at another size. */
  copyFrom(other: PointRenderer) {
    const { beat, count, tints, lit, ids, placements, land } = other;
    Object.assign(this, { beat, count, tints, lit, ids, placements, land });
    this.restore();
  }

  /** Release the graphics memory. The renderer cannot draw afterwards. */
  stop() {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }

  resize(width: number, height: number) {
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
  }

  /** Draw a frame. `design`: device pixels per design pixel. */
  render(state: RenderState, design: number) {
    if (this.lost) return;
    const { gl, canvas } = this;
    const cell = Math.max(2, Math.round(CELL_SIDE * design));
    const cells = this.cellsOf(Math.ceil(canvas.width / cell), Math.ceil(canvas.height / cell));
    this.drawUnlit(state, design / cell, cells, cell);
    const shining = this.ids.length > 0 && state.glow > 0;
    if (shining) this.drawBlooms(state, design / cell, cells, cell);
    this.drawSeen(shining ? cells.lit : cells.unlit, cells.seen);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.viewport(0, 0, canvas.width, canvas.height);
    this.drawGround(cells.seen, design, cell);
    this.drawLamps("unlit", state, state.view, design);
    if (shining) this.drawLamps("lit", state, state.view, design);
  }

  /** Count the pixels that the lit lamps alone visibly brighten. Slow, as it reads pixels back. */
  litPixels(state: RenderState, design: number): number {
    if (this.lost || state.glow <= 0) return 0;
    const { gl } = this;
    const { width, height } = this.canvas;
    const target = createRenderTarget(gl, "bytes", width, height);
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    this.drawLamps("lit", state, state.view, design);
    const pixels = new Uint8Array(4 * width * height);
    gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
    deleteRenderTarget(gl, target);
    let bright = 0;
    for (let i = 0; i < pixels.length; i += 4) {
      if (pixels[i]! + pixels[i + 1]! + pixels[i + 2]! > 90) bright += 1;
    }
    return bright;
  }

  /** Draw halos and land, unless they are those of the last frame. */
  private drawUnlit(
    { view, mixing, landProgress, glow }: RenderState,
    size: number,
    { halos, unlit }: Record<"halos" | "unlit", RenderTarget>,
    cell: number,
  ) {
    const { gl } = this;
    const inputs = [view.x0, view.x1, view.y0, view.y1, mixing, landProgress, size].join();
    if (inputs === this.unlitInputs) return;
    this.unlitInputs = inputs;
    const wider = this.wholeCells(view, halos, cell);
    onto(gl, halos);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    this.drawLamps("halo", { view, mixing, landProgress, glow }, wider, size);
    onto(gl, unlit);
    gl.disable(gl.BLEND);
    const [before, after] = this.land ?? [null, null];
    const cells = this.programs.cells.use();
    cells.texture("halos", 0, halos.picture);
    cells.float("spread", SPREAD);
    cells.texture("before", 1, this.landTextures[0]);
    cells.texture("after", 2, this.landTextures[1]);
    cells.vec4("beforeRect", ...rect(before));
    cells.vec4("afterRect", ...rect(after));
    cells.vec4("view", ...corner(wider));
    cells.float("mixing", landProgress);
    this.fill();
  }

  private drawBlooms(
    state: RenderState,
    size: number,
    { unlit, lit }: Record<"unlit" | "lit", RenderTarget>,
    cell: number,
  ) {
    const { gl } = this;
    const { width, height } = lit;
    onto(gl, lit);
    gl.bindFramebuffer(gl.READ_FRAMEBUFFER, unlit.frame);
    gl.blitFramebuffer(0, 0, width, height, 0, 0, width, height, gl.COLOR_BUFFER_BIT, gl.NEAREST);
    this.drawLamps("bloom", state, this.wholeCells(state.view, lit, cell), size);
  }

  /** Tone-map the light of the cells. */
  private drawSeen(from: RenderTarget, seen: RenderTarget) {
    onto(this.gl, seen);
    this.gl.disable(this.gl.BLEND);
    this.programs.seen.use().texture("cells", 0, from.picture);
    this.fill();
  }

  private drawGround(cells: RenderTarget, design: number, cell: number) {
    const { gl, canvas } = this;
    gl.disable(gl.BLEND);
    const ground = this.programs.ground.use();
    ground.texture("cells", 0, cells.picture);
    ground.vec2("part", canvas.width / (cell * cells.width), canvas.height / (cell * cells.height));
    ground.vec3("night", unit(INK.night));
    ground.vec3("land", unit(INK.land));
    ground.vec3("contour", unit(INK.contour));
    ground.float("pixel", design);
    this.fill();
  }

  private drawLamps(part: Part, { mixing, glow }: RenderState, view: MapRect, size: number) {
    const { gl } = this;
    if (!this.placements) return;
    gl.enable(gl.BLEND);
    // Light on cells is summed; on the ground it is tone-mapped already and blends as a screen.
    const summed = part === "halo" || part === "bloom";
    gl.blendFunc(gl.ONE, summed ? gl.ONE : gl.ONE_MINUS_SRC_COLOR);
    const lamp = this.lamps[part].use();
    lamp.vec4("fromBox", ...corner(this.placements[0].box));
    lamp.vec4("toBox", ...corner(this.placements[1].box));
    lamp.vec4("view", ...corner(view));
    lamp.float("mixing", mixing);
    lamp.float("beat", this.beat);
    lamp.float("glow", glow);
    lamp.float("size", size);
    lamp.float("largest", this.largest);
    if (part === "unlit" || part === "halo") this.buffers.drawAll(this.count);
    else this.buffers.drawBatch(this.ids.length);
  }

  private fill() {
    this.gl.bindVertexArray(this.screen);
    this.gl.drawArrays(this.gl.TRIANGLES, 0, 3);
  }

  /** Extend a view to whole cells, including those cut by the picture's edge. */
  private wholeCells(
    { x0, x1, y0, y1 }: MapRect,
    { width, height }: RenderTarget,
    cell: number,
  ): MapRect {
    const { canvas } = this;
    return {
      x0,
      x1: x0 + ((x1 - x0) * width * cell) / canvas.width,
      y0,
      y1: y0 + ((y1 - y0) * height * cell) / canvas.height,
    };
  }

  private cellsOf(width: number, height: number) {
    const { gl, depth } = this;
    if (this.cells?.halos.width === width && this.cells.halos.height === height) return this.cells;
    for (const target of Object.values(this.cells ?? {})) deleteRenderTarget(gl, target);
    const target = () => createRenderTarget(gl, depth, width, height);
    this.cells = { halos: target(), unlit: target(), lit: target(), seen: target() };
    this.unlitInputs = "";
    return this.cells;
  }

  private initGl() {
    const { gl } = this;
    this.depth = chooseLightFormat(gl);
    this.largest = (gl.getParameter(gl.ALIASED_POINT_SIZE_RANGE) as Float32Array)[1] ?? 64;
    this.programs = {
      cells: new ShaderProgram(gl, SCREEN, CELLS),
      seen: new ShaderProgram(gl, SCREEN, TONE_MAPPED),
      ground: new ShaderProgram(gl, SCREEN, GROUND),
    };
    const lamp = (part: Part) => new ShaderProgram(gl, lampVertex(part), lampFragment(part));
    this.lamps = Object.fromEntries(
      LAMP_PARTS.map((part) => [part, lamp(part)]),
    ) as typeof this.lamps;
    this.buffers = new PointBuffers(gl);
    this.screen = gl.createVertexArray()!;
    this.landTextures = [this.createLandTexture(), this.createLandTexture()];
    this.cells = null;
  }

  private restore() {
    this.upload("tint", this.tints);
    this.upload("lit", this.lit);
    if (!this.lost) this.uploaded += this.buffers.uploadBatch(this.ids);
    if (this.placements) {
      this.upload("from", this.placements[0].places);
      this.upload("to", this.placements[1].places);
    }
    this.land?.forEach((land, i) => this.uploadLand(i as 0 | 1, land));
  }

  private upload(...[name, data]: Parameters<PointBuffers["upload"]>) {
    if (this.lost) return;
    this.uploaded += this.buffers.upload(name, data);
    // Unlit lamps do not depend on which lamps are lit.
    if (name !== "lit") this.unlitInputs = "";
  }

  private uploadLand(slot: 0 | 1, { size, heights }: DensityGrid) {
    if (this.lost) return;
    const { gl } = this;
    gl.bindTexture(gl.TEXTURE_2D, this.landTextures[slot]);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 4);
    const format = this.depth === "full" ? gl.R32F : gl.R16F;
    gl.texImage2D(gl.TEXTURE_2D, 0, format, size, size, 0, gl.RED, gl.FLOAT, heights);
    this.uploaded += heights.byteLength;
    this.unlitInputs = "";
  }

  private createLandTexture(): WebGLTexture {
    const { gl } = this;
    const texture = createTexture(gl);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.R16F, 1, 1, 0, gl.RED, gl.FLOAT, new Float32Array(1));
    return texture;
  }
}

function onto(gl: WebGL2RenderingContext, { frame, width, height }: RenderTarget) {
  gl.bindFramebuffer(gl.FRAMEBUFFER, frame);
  gl.viewport(0, 0, width, height);
}

function corner(view: MapRect): [number, number, number, number] {
  return [view.x0, view.y0, view.x1 - view.x0, view.y1 - view.y0];
}

function rect(land: DensityGrid | null): [number, number, number, number] {
  if (!land) return [0, 0, 0, 0];
  const { x0, x1, y0, y1 } = land.box;
  return [x0, y0, 1 / (x1 - x0), 1 / (y1 - y0)];
}
