/** Tells when a view that the viewer moves has come to rest: let go of, and not moved for a while. */

/** How long a view must not have moved, in ms; a wheel turns in steps about as far apart. */
const REST = 250;

export class ViewRest {
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** Start at rest. `isHeld` returns whether a pointer holds the view; `rested` is called at rest. */
  constructor(
    private readonly isHeld: () => boolean,
    private readonly rested: () => void,
  ) {}

  /** Note a movement. */
  moved = () => {
    clearTimeout(this.timer);
    this.timer = setTimeout(this.isHeld() ? this.moved : this.rest, REST);
  };

  /** Come to rest now. */
  rest = () => {
    this.stop();
    this.rested();
  };

  stop() {
    clearTimeout(this.timer);
  }
}
