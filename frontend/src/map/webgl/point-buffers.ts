/** GPU buffers of the lamps: two positions each, the tint, the last beat that lit it, and the size of its halo. */

const ATTRIBUTES = { from: 0, to: 1, tint: 2, lit: 3, spread: 4 } as const;

/** The buffers and their vertex array. */
export class PointBuffers {
  private readonly buffers: Record<keyof typeof ATTRIBUTES, WebGLBuffer>;
  /** Indices of the lit tokens, so that drawing them skips all others. */
  private readonly batch: WebGLBuffer;
  private readonly lamps: WebGLVertexArrayObject;

  constructor(private readonly gl: WebGL2RenderingContext) {
    const buffer = () => gl.createBuffer();
    this.buffers = {
      ...{ from: buffer(), to: buffer(), tint: buffer() },
      ...{ lit: buffer(), spread: buffer() },
    };
    this.batch = buffer();
    this.lamps = gl.createVertexArray()!;
    this.bind();
  }

  /** Upload an attribute of all lamps. Return the number of bytes sent. */
  upload(name: keyof typeof ATTRIBUTES, data: Uint8Array | Uint16Array | Float32Array): number {
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
    gl.bufferData(gl.ARRAY_BUFFER, data, gl.DYNAMIC_DRAW);
    return data.byteLength;
  }

  /** Upload the rows of the beat. Return the number of bytes sent. */
  uploadBatch(ids: Uint32Array): number {
    const { gl } = this;
    gl.bindVertexArray(this.lamps);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, ids, gl.DYNAMIC_DRAW);
    gl.bindVertexArray(null);
    return ids.byteLength;
  }

  /** Make the lamps' targets their starting points. */
  swap() {
    const { from, to } = this.buffers;
    this.buffers.from = to;
    this.buffers.to = from;
    this.bind();
  }

  drawAll(count: number) {
    this.gl.bindVertexArray(this.lamps);
    this.gl.drawArrays(this.gl.POINTS, 0, count);
  }

  drawBatch(count: number) {
    this.gl.bindVertexArray(this.lamps);
    this.gl.drawElements(this.gl.POINTS, count, this.gl.UNSIGNED_INT, 0);
  }

  private bind() {
    const { gl } = this;
    gl.bindVertexArray(this.lamps);
    const one = (name: keyof typeof ATTRIBUTES, size: number, type: number) => {
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
      gl.enableVertexAttribArray(ATTRIBUTES[name]);
      gl.vertexAttribPointer(ATTRIBUTES[name], size, type, type !== gl.FLOAT, 0, 0);
    };
    one("from", 2, gl.UNSIGNED_SHORT);
    one("to", 2, gl.UNSIGNED_SHORT);
    one("tint", 4, gl.UNSIGNED_BYTE);
    one("lit", 2, gl.FLOAT);
    one("spread", 1, gl.UNSIGNED_BYTE);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.batch);
    gl.bindVertexArray(null);
  }
}
