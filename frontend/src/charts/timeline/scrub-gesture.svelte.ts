/** The pointer over a track: what it points at, and what it drags, no faster than pictures of it come. */

/** A hand that has not moved for so long keeps still, in ms. */
const STILL = 200;

interface Followers {
  /** The hand is here, in CSS pixels from the left edge of the window. */
  follow(x: number): void;
  /** What it drags is kept still. */
  rested(): void;
  dropped(): void;
  /** Resolves when what was dragged to is seen. */
  painted(): Promise<void> | undefined;
}

export class Hand {
  /** The pointer that drags: a second finger neither moves it nor lets go of it. */
  private holds = $state<number | null>(null);
  /** Where it was last and was not followed, while the picture of a place before is still to come. */
  private unseen: number | null = null;
  private drawing = false;
  private still: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly tell: Followers) {}

  get dragging(): boolean {
    return this.holds !== null;
  }

  /** Whether it takes hold. */
  pressed(event: PointerEvent): boolean {
    if (this.dragging || !event.isPrimary || event.button !== 0) return false;
    // What moves out of the track still drags, and nothing else hears of it.
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    this.holds = event.pointerId;
    void this.moved(event);
    return true;
  }

  moved = async (event: PointerEvent) => {
    if (this.dragging && event.pointerId !== this.holds) return;
    this.unseen = event.clientX;
    clearTimeout(this.still);
    if (this.drawing) return;
    this.drawing = true;
    while (this.unseen !== null) {
      this.catchUp();
      if (this.dragging) await this.tell.painted();
    }
    this.drawing = false;
    if (this.dragging) this.still = setTimeout(() => this.tell.rested(), STILL);
  };

  released = (event: PointerEvent) => {
    if (event.pointerId !== this.holds) return;
    this.catchUp();
    this.forget();
    this.tell.follow(event.clientX);
    this.tell.dropped();
  };

  /** It holds nothing, and nothing of it is still to come. */
  forget() {
    clearTimeout(this.still);
    this.unseen = this.holds = null;
  }

  private catchUp() {
    if (this.unseen !== null) this.tell.follow(this.unseen);
    this.unseen = null;
  }
}
