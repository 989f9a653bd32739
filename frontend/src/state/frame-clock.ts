/**
 * The clock of the map's frames. Anything that shows a series of steps waits for it, because faster steps
 * would not be visible. Until the clock follows a map, every wait ends at once.
 */
export class FrameClock {
  private nextFrame: (() => Promise<void>) | null = null;

  /** Follow a map; `nextFrame` resolves once it has drawn its next frame. */
  follow(nextFrame: () => Promise<void>) {
    this.nextFrame = nextFrame;
  }

  /** Wait until the next frame is on the screen. */
  nextFrameShown(): Promise<void> {
    return this.nextFrame?.() ?? Promise.resolve();
  }
}
