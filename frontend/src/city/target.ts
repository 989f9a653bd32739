/** Pictures on the graphics card: textures, and what is drawn on them. */

export interface Target {
  frame: WebGLFramebuffer;
  picture: WebGLTexture;
  width: number;
  height: number;
}

export function textureOf(gl: WebGL2RenderingContext): WebGLTexture {
  const texture = gl.createTexture()!;
  gl.bindTexture(gl.TEXTURE_2D, texture);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
  return texture;
}

/** `deep`: of half floats, in which light can be summed beyond 1. */
export function targetOf(
  gl: WebGL2RenderingContext,
  deep: boolean,
  width: number,
  height: number,
): Target {
  const picture = textureOf(gl);
  gl.texStorage2D(gl.TEXTURE_2D, 1, deep ? gl.RGBA16F : gl.RGBA8, width, height);
  const frame = gl.createFramebuffer()!;
  gl.bindFramebuffer(gl.FRAMEBUFFER, frame);
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, picture, 0);
  return { frame, picture, width, height };
}

export function release(gl: WebGL2RenderingContext, { frame, picture }: Target) {
  gl.deleteFramebuffer(frame);
  gl.deleteTexture(picture);
}

/** Whether half floats can be drawn on. Asked once: the answer waits until all that was drawn is done. */
export function drawsDeep(gl: WebGL2RenderingContext): boolean {
  const offered =
    gl.getExtension("EXT_color_buffer_float") ?? gl.getExtension("EXT_color_buffer_half_float");
  if (!offered) return false;
  const trial = targetOf(gl, true, 4, 4);
  const drawn = gl.checkFramebufferStatus(gl.FRAMEBUFFER) === gl.FRAMEBUFFER_COMPLETE;
  release(gl, trial);
  return drawn;
}
