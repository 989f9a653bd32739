/** Detects that a view moved by the viewer has come to rest: released, and still for a while. */

/** Time without movement that counts as rest, in ms; the steps of a wheel are about as far apart. */
const REST = 250;

export class ViewRest {
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** Start at rest. `isHeld` returns whether a pointer holds the view; `rested` is called at rest. */
  constructor(
    private readonly isHeld: () => boolean,
    private readonly rested: () => void,
  ) {}

  /** Record a movement. */
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
