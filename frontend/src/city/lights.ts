/**
 * The lamps and the land beneath them, drawn with WebGL2 on one canvas.
 *
 * Knows positions, tints, lit lamps and a view; nothing of runs or figures. Uploads happen when data
 * arrives; drawing a frame uploads nothing. Everything is kept, so that a lost context can be restored.
 */

import { Program } from "./program";
import { EYE, HAZE, LAMP_FRAGMENT, LAMP_VERTEX, LAND, SCREEN } from "./shaders";
import type { Relief } from "./relief";
import type { Placement, View } from "./placement";
import { INK, unit } from "./palette";

export interface Moment {
  view: View;
  /** How far the glide from the last layout to this one has come, 0 to 1. */
  mixing: number;
  /** How far the land's has, which begins a moment later. */
  rising: number;
  /** The brightness of the beat that is on, 0 to 1. */
  glow: number;
}

interface Target {
  frame: WebGLFramebuffer;
  picture: WebGLTexture;
}

const ATTRIBUTES = { from: 0, to: 1, tint: 2, lit: 3 } as const;

/** Parts of a lamp that are drawn one after another, as the shader numbers them. */
const [ASLEEP, LIT, BLOOM] = [0, 1, 2] as const;
/** The side of a cell of haze and bloom, in design pixels: the cores blurred on it are as wide as halos shall be. */
const CELL = 4;
/** Samples so far apart (in cells), between cells, are a blur of the variance that cells themselves leave to be done. */
const BLUR = 0.86;
/** A halo of 0.055 exp(-r^2 / 16) has so much light for a core of 0.7 exp(-r^2 / 1.2). */
const HALO = (0.055 * 16) / (0.7 * 1.2);

/** Pictures of the land in one glide. */
const LAND_STEPS = 12;

export class Lights {
  /** Bytes sent to the GPU since the start. */
  uploaded = 0;
  beat = 0;
  /** Pixels drawn for one of the canvas, at most 1. The canvas and its targets stay as they are. */
  fineness = 1;
  /** The context is gone for the moment: nothing is drawn until the browser gives it back. */
  lost = false;
  private readonly gl: WebGL2RenderingContext;
  private programs!: Record<"land" | "lamp" | "haze" | "eye", Program>;
  private buffers!: Record<keyof typeof ATTRIBUTES, WebGLBuffer>;
  private lamps!: WebGLVertexArrayObject;
  /** The lit tokens, so that no others need be looked at to draw them. */
  private batch!: WebGLBuffer;
  private screen!: WebGLVertexArrayObject;
  private reliefs!: [WebGLTexture, WebGLTexture];
  private land: Target | null = null;
  private asleep: Target | null = null;
  private awake: Target | null = null;
  private coarse: Target | null = null;
  private haze: Target | null = null;
  private bloom: Target | null = null;
  private largest = 64;
  /** What the land and the sleeping lamps were last drawn for; they are drawn again when it changes. */
  private seen = "";
  private groundSeen = "";
  /** Nothing is drawn on the pictures of the lit lamps. */
  private dark = false;

  private count = 0;
  private tints: Uint8Array = new Uint8Array(0);
  private lit: Float32Array = new Float32Array(0);
  private ids: Uint32Array = new Uint32Array(0);
  private placements: [Placement, Placement] | null = null;
  private ground: [Relief, Relief] | null = null;

  /** Throws where there is no WebGL2. `changed` is called when the context was lost, and when it came back. */
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
    this.begin();
    canvas.addEventListener("webglcontextlost", (event) => {
      // Without this the browser would not bring it back.
      event.preventDefault();
      this.lost = true;
      changed();
    });
    canvas.addEventListener("webglcontextrestored", () => {
      this.lost = false;
      this.begin();
      this.restore();
      changed();
    });
  }

  /** Another vocabulary: `tints` are four bytes a token (rgb, how bright it sleeps). */
  setTokens(tints: Uint8Array) {
    this.count = tints.length / 4;
    this.lit = new Float32Array(2 * this.count).fill(-1);
    this.ids = new Uint32Array(0);
    this.placements = this.ground = null;
    this.groundSeen = "";
    this.setTints(tints);
    this.upload("lit", this.lit);
  }

  setTints(tints: Uint8Array) {
    this.tints = tints;
    this.upload("tint", tints);
    this.seen = "";
  }

  /** Glide to `next`, from `last` where that is not simply the placement that was shown. */
  place(next: Placement, last?: Placement) {
    const shown = this.placements?.[1];
    const from = last ?? shown ?? next;
    if (from === shown) this.swap();
    else this.upload("from", from.places);
    this.placements = [from, next];
    this.upload("to", next.places);
    this.seen = "";
  }

  /** The land that goes with the placement just given. */
  raise(relief: Relief) {
    const last = this.ground?.[1] ?? relief;
    this.reliefs.reverse();
    this.ground = [last, relief];
    if (last === relief) this.uploadRelief(0, relief);
    this.uploadRelief(1, relief);
    this.groundSeen = "";
  }

  /** A new beat: these rows, each as bright as its strength (0 to 1), and no others. */
  shine(ids: Uint32Array, strengths: Float32Array) {
    this.beat += 1;
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i]!;
      this.lit[2 * id] = this.beat;
      this.lit[2 * id + 1] = strengths[i]!;
    }
    this.ids = ids;
    this.upload("lit", this.lit);
    this.uploadBatch();
  }

  /** Take over everything that other lights show, to draw it at another size. */
  copy(other: Lights) {
    const { beat, count, tints, lit, placements, ground } = other;
    Object.assign(this, { beat, count, tints, lit, placements, ground });
    this.restore();
  }

  /** Give the graphics memory back; nothing can be drawn any more. */
  stop() {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }

  resize(width: number, height: number) {
    if (this.canvas.width === width && this.canvas.height === height) return;
    this.canvas.width = width;
    this.canvas.height = height;
    this.makeTargets();
  }

  draw(moment: Moment, design: number) {
    if (this.lost || !this.land || !this.asleep || !this.awake || !this.haze || !this.bloom) return;
    const { gl } = this;
    const { view, mixing, rising } = moment;
    const place = [view.x0, view.x1, view.y0, view.y1, this.fineness].join();
    // The land follows a glide in steps: a contour's way is short.
    const ground = place + Math.ceil(rising * LAND_STEPS);
    if (ground !== this.groundSeen) {
      this.groundSeen = ground;
      this.drawLand(moment, design);
    }
    const cell = cellOf(design);
    if (place + mixing !== this.seen) {
      this.seen = place + mixing;
      this.drawLamps(this.asleep, moment, design, ASLEEP);
      this.drawHaze(cell);
    }
    this.drawLit(moment, design);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.disable(gl.BLEND);
    const eye = this.programs.eye.use();
    const [width, height] = this.drawn();
    eye.vec2("part", width / this.canvas.width, height / this.canvas.height);
    eye.vec2("cells", width / cell, height / cell);
    eye.int("fine", this.fineness === 1 ? 1 : 0);
    eye.int("lit", this.dark ? 0 : 1);
    eye.texture("landPicture", 0, this.land.picture);
    eye.texture("asleepPicture", 1, this.asleep.picture);
    eye.texture("awakePicture", 2, this.awake.picture);
    eye.texture("wide", 3, (this.dark ? this.haze : this.bloom).picture);
    gl.bindVertexArray(this.screen);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  /** How many pixels the lit lamps alone visibly brighten at this moment. Slow: it reads back. */
  litPixels(moment: Moment, design: number): number {
    if (this.lost || !this.awake) return 0;
    const { gl } = this;
    const [width, height] = this.drawn();
    this.drawLamps(this.awake, moment, design, LIT);
    const pixels = new Float32Array(4 * width * height);
    const bytes = new Uint8Array(4 * width * height);
    if (this.deep) gl.readPixels(0, 0, width, height, gl.RGBA, gl.FLOAT, pixels);
    else gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, bytes);
    let bright = 0;
    for (let i = 0; i < pixels.length; i += 4) {
      const sum = this.deep ? pixels[i]! + pixels[i + 1]! + pixels[i + 2]! : bytes[i]! / 85;
      if (sum > 0.3) bright += 1;
    }
    return bright;
  }

  /** How many pixels of the targets are drawn on: from the lower left corner. */
  private drawn(): [number, number] {
    const { width, height } = this.canvas;
    return [Math.ceil(width * this.fineness), Math.ceil(height * this.fineness)];
  }

  private drawLand({ view, rising }: Moment, design: number) {
    const { gl } = this;
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.land!.frame);
    gl.disable(gl.BLEND);
    gl.viewport(0, 0, ...this.drawn());
    const land = this.programs.land.use();
    const [before, after] = this.ground ?? [null, null];
    land.texture("before", 0, this.reliefs[0]);
    land.texture("after", 1, this.reliefs[1]);
    land.vec4("beforeRect", ...rect(before));
    land.vec4("afterRect", ...rect(after));
    land.vec4("view", ...corner(view));
    land.float("mixing", rising);
    land.float("pixel", design);
    land.vec3("night", unit(INK.night));
    land.vec3("land", unit(INK.land));
    land.vec3("contour", unit(INK.contour));
    gl.bindVertexArray(this.screen);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  private drawLit(moment: Moment, design: number) {
    const none = !this.ids.length || moment.glow <= 0;
    if (none && this.dark) return;
    this.dark = none;
    this.drawLamps(this.awake!, moment, design, LIT);
    if (none) return;
    this.drawLamps(this.bloom!, moment, design, BLOOM);
    this.addHaze(cellOf(design));
  }

  /** What lights far around shines on the same cells, lit or asleep: the eye looks at one picture of them. */
  private addHaze(cell: number) {
    const { gl } = this;
    const [width, height] = this.drawn();
    const cells = [Math.ceil(width / cell), Math.ceil(height / cell)] as const;
    const haze = this.programs.haze.use();
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE);
    gl.viewport(0, 0, ...cells);
    haze.texture("picture", 0, this.haze!.picture);
    haze.vec2("most", ...cells);
    haze.float("cell", 1);
    haze.int("taps", 1);
    haze.float("spread", 0);
    haze.float("gain", 1);
    gl.bindVertexArray(this.screen);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  private drawLamps(onto: Target, { view, mixing, glow }: Moment, design: number, part: 0 | 1 | 2) {
    const { gl } = this;
    const cell = part === BLOOM ? cellOf(design) : 1;
    const [width, height] = this.drawn();
    gl.bindFramebuffer(gl.FRAMEBUFFER, onto.frame);
    // A cell that the picture's edge cuts is there too: its middle may be seen.
    gl.viewport(0, 0, Math.ceil(width / cell), Math.ceil(height / cell));
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    if (!this.placements || (part !== ASLEEP && (glow <= 0 || !this.ids.length))) return;
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE);
    const lamp = this.programs.lamp.use();
    lamp.vec4("fromBox", ...corner(this.placements[0].box));
    lamp.vec4("toBox", ...corner(this.placements[1].box));
    lamp.vec4("view", ...stretched(corner(view), width, height, cell));
    lamp.float("mixing", mixing);
    lamp.float("beat", this.beat);
    lamp.float("glow", glow);
    lamp.float("size", design / cell);
    lamp.float("largest", this.largest);
    lamp.int("part", part);
    gl.bindVertexArray(this.lamps);
    if (part === ASLEEP) gl.drawArrays(gl.POINTS, 0, this.count);
    else gl.drawElements(gl.POINTS, this.ids.length, gl.UNSIGNED_INT, 0);
  }

  /** What sleeps, blurred: first on cells, then among them. */
  private drawHaze(cell: number) {
    const { gl } = this;
    const [width, height] = this.drawn();
    const cells = [Math.ceil(width / cell), Math.ceil(height / cell)] as const;
    const haze = this.programs.haze.use();
    gl.disable(gl.BLEND);
    gl.viewport(0, 0, ...cells);
    gl.bindVertexArray(this.screen);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.coarse!.frame);
    haze.texture("picture", 0, this.asleep!.picture);
    haze.vec2("most", width, height);
    haze.float("cell", cell);
    haze.int("taps", Math.ceil(cell / 2));
    haze.float("spread", 1);
    haze.float("gain", 1);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.haze!.frame);
    haze.texture("picture", 0, this.coarse!.picture);
    haze.vec2("most", ...cells);
    haze.float("cell", 1);
    haze.int("taps", 2);
    haze.float("spread", BLUR);
    haze.float("gain", HALO);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  private begin() {
    const { gl } = this;
    this.deepen();
    this.largest = (gl.getParameter(gl.ALIASED_POINT_SIZE_RANGE) as Float32Array)[1] ?? 64;
    this.programs = {
      land: new Program(gl, SCREEN, LAND),
      lamp: new Program(gl, LAMP_VERTEX, LAMP_FRAGMENT),
      haze: new Program(gl, SCREEN, HAZE),
      eye: new Program(gl, SCREEN, EYE),
    };
    const buffer = () => gl.createBuffer()!;
    this.buffers = { from: buffer(), to: buffer(), tint: buffer(), lit: buffer() };
    this.batch = buffer();
    this.screen = gl.createVertexArray()!;
    this.lamps = gl.createVertexArray()!;
    this.bindAttributes();
    this.reliefs = [this.reliefTexture(), this.reliefTexture()];
    this.land = this.asleep = this.awake = this.coarse = this.haze = this.bloom = null;
    this.makeTargets();
  }

  private restore() {
    this.upload("tint", this.tints);
    this.upload("lit", this.lit);
    this.uploadBatch();
    if (this.placements) {
      this.upload("from", this.placements[0].places);
      this.upload("to", this.placements[1].places);
    }
    this.ground?.forEach((relief, i) => this.uploadRelief(i as 0 | 1, relief));
    this.seen = this.groundSeen = "";
  }

  private bindAttributes() {
    const { gl } = this;
    gl.bindVertexArray(this.lamps);
    const bind = (name: keyof typeof ATTRIBUTES, size: number, type: number) => {
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
      gl.enableVertexAttribArray(ATTRIBUTES[name]);
      gl.vertexAttribPointer(ATTRIBUTES[name], size, type, type !== gl.FLOAT, 0, 0);
    };
    bind("from", 2, gl.UNSIGNED_SHORT);
    bind("to", 2, gl.UNSIGNED_SHORT);
    bind("tint", 4, gl.UNSIGNED_BYTE);
    bind("lit", 2, gl.FLOAT);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.batch);
    gl.bindVertexArray(null);
  }

  private swap() {
    const { from, to } = this.buffers;
    this.buffers.from = to;
    this.buffers.to = from;
    this.bindAttributes();
  }

  private upload(name: keyof typeof ATTRIBUTES, data: Uint8Array | Uint16Array | Float32Array) {
    if (this.lost) return;
    this.gl.bindBuffer(this.gl.ARRAY_BUFFER, this.buffers[name]);
    this.gl.bufferData(this.gl.ARRAY_BUFFER, data, this.gl.DYNAMIC_DRAW);
    this.uploaded += data.byteLength;
  }

  private uploadBatch() {
    if (this.lost) return;
    const { gl } = this;
    gl.bindVertexArray(this.lamps);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, this.ids, gl.DYNAMIC_DRAW);
    gl.bindVertexArray(null);
    this.uploaded += this.ids.byteLength;
  }

  private uploadRelief(slot: 0 | 1, { size, heights }: Relief) {
    if (this.lost) return;
    const { gl } = this;
    gl.bindTexture(gl.TEXTURE_2D, this.reliefs[slot]);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 4);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.R16F, size, size, 0, gl.RED, gl.FLOAT, heights);
    this.uploaded += heights.byteLength;
  }

  private reliefTexture(): WebGLTexture {
    const { gl } = this;
    const texture = this.texture(gl.LINEAR);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.R16F, 1, 1, 0, gl.RED, gl.FLOAT, new Float32Array(1));
    return texture;
  }

  private texture(filter: number): WebGLTexture {
    const { gl } = this;
    const texture = gl.createTexture()!;
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, filter);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, filter);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
    return texture;
  }

  /** Whether light can be summed beyond 1, in half floats. */
  private deep = false;

  private deepen() {
    const { gl } = this;
    this.deep = Boolean(
      gl.getExtension("EXT_color_buffer_float") ?? gl.getExtension("EXT_color_buffer_half_float"),
    );
    if (!this.deep) return;
    // Asked once: the answer keeps the page waiting until all that was drawn is done.
    const { frame, picture } = this.target(true, 4, 4);
    this.deep = gl.checkFramebufferStatus(gl.FRAMEBUFFER) === gl.FRAMEBUFFER_COMPLETE;
    gl.deleteFramebuffer(frame);
    gl.deleteTexture(picture);
  }

  private makeTargets() {
    for (const target of [this.land, this.asleep, this.awake, this.coarse, this.haze, this.bloom]) {
      this.gl.deleteFramebuffer(target?.frame ?? null);
      this.gl.deleteTexture(target?.picture ?? null);
    }
    const { width, height } = this.canvas;
    this.land = this.target(false, width, height);
    this.asleep = this.target(this.deep, width, height);
    this.awake = this.target(this.deep, width, height);
    const cells = [Math.ceil(width / 2), Math.ceil(height / 2)] as const;
    this.coarse = this.target(this.deep, ...cells);
    this.haze = this.target(this.deep, ...cells);
    this.bloom = this.target(this.deep, ...cells);
    this.seen = this.groundSeen = "";
    this.dark = false;
  }

  private target(deep: boolean, width: number, height: number): Target {
    const { gl } = this;
    const picture = this.texture(gl.LINEAR);
    gl.texStorage2D(gl.TEXTURE_2D, 1, deep ? gl.RGBA16F : gl.RGBA8, width || 1, height || 1);
    const frame = gl.createFramebuffer()!;
    gl.bindFramebuffer(gl.FRAMEBUFFER, frame);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, picture, 0);
    return { frame, picture };
  }
}

function corner(view: View): [number, number, number, number] {
  return [view.x0, view.y0, view.x1 - view.x0, view.y1 - view.y0];
}

/** The side of a cell in pixels, at least two. */
function cellOf(design: number): number {
  return Math.max(2, Math.round(CELL * design));
}

/** A view of so many pixels, as far as whole cells reach. */
function stretched(
  [x, y, w, h]: [number, number, number, number],
  width: number,
  height: number,
  cell: number,
): [number, number, number, number] {
  const [across, up] = [
    (Math.ceil(width / cell) * cell) / width,
    (Math.ceil(height / cell) * cell) / height,
  ];
  return [x, y, w * across, h * up];
}

function rect(relief: Relief | null): [number, number, number, number] {
  if (!relief) return [0, 0, 0, 0];
  const { x0, x1, y0, y1 } = relief.box;
  return [x0, y0, 1 / (x1 - x0), 1 / (y1 - y0)];
}
