/**
 * When a canvas has been drawn, and not only told to be: where drawing is slow, frames queue up before the graphics
 * processor, and who goes on meanwhile is shown what was wanted long ago.
 */

/** How often the graphics processor is asked whether it is through, in ms. */
const ASK = 3;

export class Drain {
  private before: Promise<void> = Promise.resolve();

  /** `canvas` may have no WebGL2. */
  constructor(private readonly canvas: HTMLCanvasElement) {}

  /**
   * Resolves when the next frame was told to be drawn and the one before it is there: one may wait, so that neither
   * the page nor the graphics processor does.
   */
  async frame(): Promise<void> {
    const { before } = this;
    await nextFrame();
    this.before = this.drained();
    await before;
  }

  /** Resolves when everything that was told to be drawn is there. */
  async drained(): Promise<void> {
    const gl = this.canvas.getContext("webgl2");
    const fence = gl?.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    if (!gl || !fence) return;
    gl.flush();
    while (gl.clientWaitSync(fence, 0, 0) === gl.TIMEOUT_EXPIRED) await after(ASK);
    gl.deleteSync(fence);
  }
}

/** Resolves after all that a frame draws was told to be drawn; in a tab that nobody sees, soon. */
export async function nextFrame(): Promise<void> {
  if (document.hidden) return after(50);
  await new Promise((done) => requestAnimationFrame(done));
  await after(0);
}

function after(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds));
}
