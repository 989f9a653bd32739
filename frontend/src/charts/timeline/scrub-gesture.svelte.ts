/** The gesture of a pointer on a track: pointing and dragging, no faster than pictures appear. */

/** Time without movement after which a dragging pointer counts as still, in ms. */
const HOLD_STILL_DELAY = 200;

interface ScrubHandlers {
  /** Follow the pointer to `x`, in CSS pixels from the left edge of the window. */
  positionChanged(x: number): void;
  /** React to a pointer that rests during a drag. */
  heldStill(): void;
  dragEnded(): void;
  /** Wait until the position dragged to is on screen. */
  whenPainted(): Promise<void> | undefined;
}

export class ScrubGesture {
  /** Id of the dragging pointer; a second finger neither moves the handle nor releases it. */
  private pointerId = $state<number | null>(null);
  /** The last position not followed yet, while the picture of an earlier one is pending. */
  private pendingX: number | null = null;
  private awaitingPaint = false;
  private stillTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly handlers: ScrubHandlers) {}

  get dragging(): boolean {
    return this.pointerId !== null;
  }

  /** Return whether a position of the pointer has not been followed yet. */
  private get behind(): boolean {
    return this.pendingX !== null;
  }

  /** Start a drag if the event can start one; return whether it did. */
  pressed(event: PointerEvent): boolean {
    if (this.dragging || !event.isPrimary || event.button !== 0) return false;
    // With the pointer captured, a drag continues outside the track, and no other element gets the events.
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    this.pointerId = event.pointerId;
    void this.moved(event);
    return true;
  }

  moved = async (event: PointerEvent) => {
    if (this.dragging && event.pointerId !== this.pointerId) return;
    this.pendingX = event.clientX;
    clearTimeout(this.stillTimer);
    if (this.awaitingPaint) return;
    this.awaitingPaint = true;
    while (this.behind) {
      this.followPending();
      if (this.dragging) await this.handlers.whenPainted();
    }
    this.awaitingPaint = false;
    if (this.dragging)
      this.stillTimer = setTimeout(() => this.handlers.heldStill(), HOLD_STILL_DELAY);
  };

  /** End the drag if the event ends it; return whether it did. */
  released(event: PointerEvent): boolean {
    if (event.pointerId !== this.pointerId) return false;
    this.followPending();
    this.cancelDrag();
    this.handlers.dragEnded();
    return true;
  }

  /** End the drag and discard the pending position. */
  cancelDrag() {
    clearTimeout(this.stillTimer);
    this.pendingX = this.pointerId = null;
  }

  private followPending() {
    if (this.pendingX !== null) this.handlers.positionChanged(this.pendingX);
    this.pendingX = null;
  }
}
