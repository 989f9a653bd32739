/**
 * The clock of the map's frames: who shows one step after another waits for it, since a faster one
 * would not be seen. It ticks once the map follows; before that every wait is over at once.
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
