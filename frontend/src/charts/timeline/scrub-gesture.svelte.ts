/** The gesture of a pointer on a track: pointing and dragging, no faster than pictures appear. */

/** Time without movement after which a dragging pointer counts as still, in ms. */
const STILL = 200;

interface Followers {
  /** Follow the pointer to `x`, in CSS pixels from the left edge of the window. */
  follow(x: number): void;
  /** React to a pointer that keeps still during a drag. */
  rested(): void;
  dropped(): void;
  /** Wait until the position dragged to is on screen. */
  painted(): Promise<void> | undefined;
}

export class Hand {
  /** Id of the dragging pointer; a second finger neither moves the handle nor releases it. */
  private holds = $state<number | null>(null);
  /** The last position not yet followed, while the picture of an earlier one is pending. */
  private unseen: number | null = null;
  private drawing = false;
  private still: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly tell: Followers) {}

  get dragging(): boolean {
    return this.holds !== null;
  }

  /** True while a position of the hand is still to be followed. */
  private get behind(): boolean {
    return this.unseen !== null;
  }

  /** Start a drag if the event can start one; return whether it did. */
  pressed(event: PointerEvent): boolean {
    if (this.dragging || !event.isPrimary || event.button !== 0) return false;
    // With the pointer captured, a drag continues outside the track, and no other element gets the events.
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
    while (this.behind) {
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

  /** End the drag, and discard the pending position. */
  forget() {
    clearTimeout(this.still);
    this.unseen = this.holds = null;
  }

  private catchUp() {
    if (this.unseen !== null) this.tell.follow(this.unseen);
    this.unseen = null;
  }
}
