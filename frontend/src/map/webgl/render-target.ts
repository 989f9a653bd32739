/** Textures and render targets. */

/** A framebuffer with its texture. */
export interface RenderTarget {
  frame: WebGLFramebuffer;
  picture: WebGLTexture;
  width: number;
  height: number;
}

/**
 * The format in which light is summed. Floats allow sums above 1: half floats suit a graphics card; full
 * floats suit a software renderer, which has no half floats and would convert each of them. Bytes are the
 * fallback.
 */
export type LightFormat = "bytes" | "half" | "full";

/** Create a texture with linear filtering, clamped at its edges. */
export function createTexture(gl: WebGL2RenderingContext): WebGLTexture {
  const texture = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, texture);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
  return texture;
}

/** Create a render target of a format. */
export function createRenderTarget(
  gl: WebGL2RenderingContext,
  depth: LightFormat,
  width: number,
  height: number,
): RenderTarget {
  const picture = createTexture(gl);
  const format = { bytes: gl.RGBA8, half: gl.RGBA16F, full: gl.RGBA32F }[depth];
  gl.texStorage2D(gl.TEXTURE_2D, 1, format, width, height);
  const frame = gl.createFramebuffer();
  gl.bindFramebuffer(gl.FRAMEBUFFER, frame);
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, picture, 0);
  return { frame, picture, width, height };
}

/** Draw on the whole of a render target from now on. */
export function drawOnto(gl: WebGL2RenderingContext, { frame, width, height }: RenderTarget) {
  gl.bindFramebuffer(gl.FRAMEBUFFER, frame);
  gl.viewport(0, 0, width, height);
}

/** Delete a render target. */
export function deleteRenderTarget(gl: WebGL2RenderingContext, { frame, picture }: RenderTarget) {
  gl.deleteFramebuffer(frame);
  gl.deleteTexture(picture);
}

/**
 * Return the best format that can be rendered to. Call it only once, because it waits for all pending
 * drawing.
 */
export function chooseLightFormat(gl: WebGL2RenderingContext): LightFormat {
  const floats = gl.getExtension("EXT_color_buffer_float");
  const able = (depth: LightFormat) => {
    const trial = createRenderTarget(gl, depth, 4, 4);
    const drawn = gl.checkFramebufferStatus(gl.FRAMEBUFFER) === gl.FRAMEBUFFER_COMPLETE;
    deleteRenderTarget(gl, trial);
    return drawn;
  };
  const full = ["EXT_float_blend", "OES_texture_float_linear"];
  if (
    floats &&
    isSoftwareRenderer(gl) &&
    full.every((name) => gl.getExtension(name)) &&
    able("full")
  )
    return "full";
  const offered = floats ?? gl.getExtension("EXT_color_buffer_half_float");
  return offered && able("half") ? "half" : "bytes";
}

/** Return whether the renderer is software, as far as the browser reveals it. */
function isSoftwareRenderer(gl: WebGL2RenderingContext): boolean {
  const named = gl.getExtension("WEBGL_debug_renderer_info");
  const name: unknown = gl.getParameter(named ? named.UNMASKED_RENDERER_WEBGL : gl.RENDERER);
  return /swiftshader|llvmpipe|basic render/i.test(String(name));
}
