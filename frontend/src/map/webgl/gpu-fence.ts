/**
 * Completion of drawing on the GPU. Where drawing is slow, submitted frames queue up, and a page that does
 * not wait for them shows outdated pictures.
 */

/** Polling interval of the fence, in ms. */
const POLL_INTERVAL = 3;

/** A fence that detects when a canvas has been drawn. */
export class GpuFence {
  private before: Promise<void> = Promise.resolve();

  /** Start with an idle GPU. */
  constructor(private readonly canvas: HTMLCanvasElement) {}

  /**
   * Wait until the next frame is submitted and the previous one is drawn. One frame may be in flight, so that
   * neither the page nor the GPU idles.
   */
  async nextFrameDrawn(): Promise<void> {
    const { before } = this;
    await nextFrameSubmitted();
    this.before = this.allDrawn();
    await before;
  }

  /** Wait until everything submitted so far is drawn. Resolves at once while the context is lost. */
  async allDrawn(): Promise<void> {
    const gl = this.canvas.getContext("webgl2");
    const fence = gl?.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    if (!gl || !fence) return;
    gl.flush();
    while (gl.clientWaitSync(fence, 0, 0) === gl.TIMEOUT_EXPIRED) await after(POLL_INTERVAL);
    gl.deleteSync(fence);
  }
}

/** Wait until the next frame is submitted; in a hidden tab, for a short time. */
export async function nextFrameSubmitted(): Promise<void> {
  if (document.hidden) return after(50);
  await new Promise((done) => requestAnimationFrame(done));
  await after(0);
}

function after(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds));
}
