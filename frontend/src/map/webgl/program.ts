import type { MapRect } from "../../model/plane/viewport";
import { SCREEN } from "./shaders";

/** A linked shader program whose uniforms are set by name. */
export class ShaderProgram {
  private readonly program: WebGLProgram;
  private readonly locations = new Map<string, WebGLUniformLocation | null>();

  constructor(
    protected readonly gl: WebGL2RenderingContext,
    vertex: string,
    fragment: string,
  ) {
    this.program = gl.createProgram();
    gl.attachShader(this.program, this.compile(gl.VERTEX_SHADER, vertex));
    gl.attachShader(this.program, this.compile(gl.FRAGMENT_SHADER, fragment));
    ["from", "to", "tint", "lit", "spread"].forEach((name, i) =>
      gl.bindAttribLocation(this.program, i, name),
    );
    gl.linkProgram(this.program);
    if (!gl.getProgramParameter(this.program, gl.LINK_STATUS) && !gl.isContextLost()) {
      throw new Error(`shaders do not link: ${gl.getProgramInfoLog(this.program)}`);
    }
  }

  use(): this {
    this.gl.useProgram(this.program);
    return this;
  }

  float(name: string, value: number) {
    this.gl.uniform1f(this.locationOf(name), value);
  }

  vec2(name: string, x: number, y: number) {
    this.gl.uniform2f(this.locationOf(name), x, y);
  }

  vec3(name: string, value: readonly [number, number, number]) {
    this.gl.uniform3f(this.locationOf(name), ...value);
  }

  vec4(name: string, x: number, y: number, z: number, w: number) {
    this.gl.uniform4f(this.locationOf(name), x, y, z, w);
  }

  /** Set the corner and the size of a rectangle of the map. */
  rect(name: string, { x0, x1, y0, y1 }: MapRect) {
    this.vec4(name, x0, y0, x1 - x0, y1 - y0);
  }

  texture(name: string, slot: number, texture: WebGLTexture) {
    this.gl.activeTexture(this.gl.TEXTURE0 + slot);
    this.gl.bindTexture(this.gl.TEXTURE_2D, texture);
    this.gl.uniform1i(this.locationOf(name), slot);
  }

  private locationOf(name: string): WebGLUniformLocation | null {
    if (!this.locations.has(name)) {
      this.locations.set(name, this.gl.getUniformLocation(this.program, name));
    }
    return this.locations.get(name) ?? null;
  }

  private compile(kind: number, source: string): WebGLShader {
    const shader = this.gl.createShader(kind)!;
    this.gl.shaderSource(shader, source);
    this.gl.compileShader(shader);
    if (!this.gl.getShaderParameter(shader, this.gl.COMPILE_STATUS) && !this.gl.isContextLost()) {
      throw new Error(`shader does not compile: ${this.gl.getShaderInfoLog(shader)}`);
    }
    return shader;
  }
}

/** A program that draws on the whole target. */
export class ScreenProgram extends ShaderProgram {
  private readonly triangle: WebGLVertexArrayObject;

  constructor(gl: WebGL2RenderingContext, fragment: string) {
    super(gl, SCREEN, fragment);
    this.triangle = gl.createVertexArray()!;
  }

  /** Draw every pixel of the target. */
  fill() {
    this.gl.bindVertexArray(this.triangle);
    this.gl.drawArrays(this.gl.TRIANGLES, 0, 3);
  }
}
