/**
 * The heights of the land as textures: of the layout that the lamps come from, and of the one they move to.
 */

import type { DensityGrid } from "../regions/density";
import type { ShaderProgram } from "./program";
import { createTexture, type LightFormat } from "./render-target";

/** Two textures of heights. */
export class LandTextures {
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
