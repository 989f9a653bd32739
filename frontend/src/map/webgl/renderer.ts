/**
 * A WebGL2 renderer of the lamps and the land below them, on one canvas.
 *
 * Wide features (halos, blooms, the land's height) are drawn on a coarse grid of cells. The ground seen
 * through them, and the lamps on it, then go straight to the canvas: each pixel is drawn once, and again only
 * where there are lamps.
 *
 * It knows positions, tints, lit lamps and a view, but neither runs nor figures. Uploads happen when data
 * arrives; drawing a frame uploads nothing. All data is kept, so that a lost context can be restored.
 */

import type { Placement } from "../../model/plane/placement";
import { rectInView, type MapRect } from "../../model/plane/viewport";
import { DARKENS, INK, unit } from "../palette";
import type { DensityGrid } from "../regions/density";
import type { Instant } from "../scene/displayed-map";
import { CellPasses, cellSide } from "./cell-passes";
import { LampPasses, type UploadedLamps } from "./lamp-passes";
import type { PointBuffers } from "./point-buffers";
import { ScreenProgram } from "./program";
import { chooseLightFormat, createRenderTarget, deleteRenderTarget } from "./render-target";
import type { RenderTarget } from "./render-target";
import { GROUND } from "./shaders";

/** All uploaded data. */
interface UploadedMap extends UploadedLamps {
  /** Four bytes per token: rgb, and its unlit brightness. */
  tints: Uint8Array;
  /** Two numbers per token: the last beat that lit it, and its strength. */
  lit: Float32Array;
  /** One byte per token: the share of its halo when lit. */
  spread: Uint8Array;
  /** The old and the new land; null before the first. */
  land: [DensityGrid, DensityGrid] | null;
}

type Rgb = [number, number, number];

const NOTHING: UploadedMap = {
  count: 0,
  beat: 0,
  ids: new Uint32Array(0),
  placements: null,
  tints: new Uint8Array(0),
  lit: new Float32Array(0),
  spread: new Uint8Array(0),
  land: null,
};

/** The renderer of one canvas. */
export class PointRenderer {
  /** Brightness of the land relative to its design. */
  landLight = 1;
  /** Bytes sent to the GPU since the start. */
  uploaded = 0;
  /** True while the context is lost; nothing is drawn until the browser restores it. */
  lost = false;
  private readonly gl: WebGL2RenderingContext;
  private lamps!: LampPasses;
  private cells!: CellPasses;
  private ground!: ScreenProgram;
  private map: UploadedMap = { ...NOTHING };

  /**
   * Compile the shaders and allocate the buffers. `changed` is called when the context is lost (true), and
   * when it is restored (false).
   *
   * @throws Error if there is no WebGL2.
   */
  constructor(
    readonly canvas: HTMLCanvasElement,
    changed: (lost: boolean) => void,
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
      changed(true);
    });
    canvas.addEventListener("webglcontextrestored", () => {
      this.lost = false;
      this.initGl();
      this.restore();
      changed(false);
    });
  }

  /**
   * Switch to another vocabulary. `tints`: four bytes per token (rgb, unlit brightness); `spread`: one, the
   * share of its halo when lit.
   */
  setTokens(tints: Uint8Array, spread: Uint8Array) {
    const count = tints.length / 4;
    const lit = new Float32Array(2 * count).fill(-1);
    this.map = { ...NOTHING, beat: this.map.beat, count, lit, spread };
    this.setTints(tints);
    this.upload("lit", lit);
    this.upload("spread", spread);
  }

  setTints(tints: Uint8Array) {
    this.map.tints = tints;
    this.upload("tint", tints);
  }

  /**
   * Set the placement to glide to. `last` is the one to glide from; by default the placement shown before.
   */
  setPlacement(next: Placement, last?: Placement) {
    const shown = this.map.placements?.[1];
    const from = last ?? shown ?? next;
    if (from === shown) this.lamps.buffers.swap();
    else this.upload("from", from.places);
    this.map.placements = [from, next];
    this.upload("to", next.places);
  }

  /** Set the land of the placement just set. */
  setLand(land: DensityGrid) {
    const last = this.map.land?.[1] ?? land;
    this.cells.land.swap();
    this.map.land = [last, land];
    if (last === land) this.uploadLand(0, land);
    this.uploadLand(1, land);
  }

  /** Keep the land in place when the units of the map change: its units change as `view` does to `next`. */
  moveLand(view: MapRect, next: MapRect) {
    const [last, land] = this.map.land ?? [];
    if (!last || !land) return;
    const moved = (grid: DensityGrid) => ({ ...grid, box: rectInView(grid.box, view, next) });
    this.map.land = [moved(last), moved(land)];
    this.cells.invalidate();
  }

  /** Light exactly these rows, each by its strength (0 to 1). */
  setLit(ids: Uint32Array, strengths: Float32Array) {
    const { map } = this;
    map.beat += 1;
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i]!;
      map.lit[2 * id] = map.beat;
      map.lit[2 * id + 1] = strengths[i]!;
    }
    map.ids = ids;
    this.upload("lit", map.lit);
    if (!this.lost) this.uploaded += this.lamps.buffers.uploadBatch(ids);
  }

  /** Copy everything that another renderer shows, to draw it at another size. */
  copyFrom(other: PointRenderer) {
    this.map = { ...other.map };
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

  /** Draw a frame. `design`: device pixels per design pixel; `growth`: enlargement of the lamps. */
  render(view: MapRect, at: Instant, design: number, growth = 1) {
    if (this.lost) return;
    const { gl, canvas, map, lamps } = this;
    const shining = map.ids.length > 0 && at.glow > 0;
    const seen = this.cells.draw(map, map.land, view, at, design, growth, shining);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.viewport(0, 0, canvas.width, canvas.height);
    this.drawGround(seen, design);
    lamps.draw("unlit", map, view, at, design, growth);
    if (shining) lamps.draw("lit", map, view, at, design, growth);
  }

  /** Count the pixels that the lit lamps alone visibly change. Slow, because it reads pixels back. */
  litPixels(view: MapRect, at: Instant, design: number, growth = 1): number {
    if (this.lost || at.glow <= 0) return 0;
    const { gl } = this;
    const { width, height } = this.canvas;
    const target = createRenderTarget(gl, "bytes", width, height);
    gl.viewport(0, 0, width, height);
    // What the lamps darken is white.
    const white = Number(DARKENS);
    gl.clearColor(white, white, white, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    this.lamps.draw("lit", this.map, view, at, design, growth);
    const pixels = new Uint8Array(4 * width * height);
    gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
    deleteRenderTarget(gl, target);
    let bright = 0;
    for (let i = 0; i < pixels.length; i += 4) {
      const sum = pixels[i]! + pixels[i + 1]! + pixels[i + 2]!;
      if (Math.abs(sum - 765 * white) > 90) bright += 1;
    }
    return bright;
  }

  private drawGround(cells: RenderTarget, design: number) {
    const { gl, canvas, ground } = this;
    const cell = cellSide(design);
    gl.disable(gl.BLEND);
    ground.use();
    ground.texture("cells", 0, cells.picture);
    ground.vec2("part", canvas.width / (cell * cells.width), canvas.height / (cell * cells.height));
    ground.vec3("night", unit(INK.night));
    const lit = (ink: string) => unit(ink).map((part) => part * this.landLight) as Rgb;
    ground.vec3("land", DARKENS ? unit(INK.land) : lit(INK.land));
    ground.vec3("contour", lit(INK.contour));
    ground.float("dark", Number(DARKENS));
    ground.float("pixel", design);
    ground.fill();
  }

  private initGl() {
    const { gl } = this;
    const depth = chooseLightFormat(gl);
    this.lamps = new LampPasses(gl);
    this.cells = new CellPasses(gl, depth, this.lamps);
    this.ground = new ScreenProgram(gl, GROUND);
  }

  private restore() {
    const { tints, lit, spread, ids, placements, land } = this.map;
    this.upload("tint", tints);
    this.upload("lit", lit);
    this.upload("spread", spread);
    if (!this.lost) this.uploaded += this.lamps.buffers.uploadBatch(ids);
    if (placements) {
      this.upload("from", placements[0].places);
      this.upload("to", placements[1].places);
    }
    land?.forEach((grid, i) => this.uploadLand(i as 0 | 1, grid));
  }

  private upload(...[name, data]: Parameters<PointBuffers["upload"]>) {
    if (this.lost) return;
    this.uploaded += this.lamps.buffers.upload(name, data);
    // Unlit lamps do not depend on which lamps are lit.
    if (name !== "lit") this.cells.invalidate();
  }

  private uploadLand(slot: 0 | 1, land: DensityGrid) {
    if (this.lost) return;
    this.uploaded += this.cells.land.upload(slot, land);
    this.cells.invalidate();
  }
}
