/**
 * The pointer on the map: the token or label under it, and which one a click or a tap chooses. Drags are
 * Plotly's, and fingers that draw or pinch are in `touch.ts`.
 */

import type { Point } from "./lasso";
import { DoubleTapDetector } from "./touch";

/** The modifier held when a pointer went down: shift adds, alt removes. */
export type HeldModifier = "add" | "take" | null;

/** The token under the pointer, and the pointer's position in CSS pixels from the map's corner. */
export interface PointedToken extends Point {
  id: number;
}

/** Queries about the map, in CSS pixels from its corner. */
interface PointerTargets {
  /** Return the token within `reach` pixels of a point. */
  tokenAt(x: number, y: number, reach: number): number | null;
  /** Return the district whose label is at a point. */
  districtAt(x: number, y: number): number | null;
  /** Return whether an outline is being drawn. */
  isDrawing(): boolean;
}

interface PointerHandlers {
  /** Show which token the pointer is over, and whether it is over the label of a district. */
  pointed(token: PointedToken | null, overDistrict: boolean): void;
  /** Handle another token under the pointer; null for none. */
  hovered(id: number | null): void;
  choose(id: number): void;
  chooseDistrict(id: number): void;
  /** Handle a token clicked with a modifier. */
  select(id: number, modifier: HeldModifier): void;
  /** Handle a double tap on empty ground, which acts like a double click. */
  doubleTapped(): void;
}

/** Pixels a pointer must move before it drags or draws instead of clicking. */
const MIN_DRAG = 5;
/** Distances in pixels from a lamp within which a finger, and a mouse, point at it. */
const TOUCH_REACH = 26;
const MOUSE_REACH = 14;

/** The pointers on one map's element. */
export class MapPointer {
  private readonly taps = new DoubleTapDetector();
  private readonly listening = new AbortController();
  /** Where the pointer went down, and the modifier held then; null once it can no longer be a click. */
  private pressed: (Point & { modifier: HeldModifier }) | null = null;
  /** Ids of the pointers that are down. */
  private readonly down = new Set<number>();
  private lastModifier: HeldModifier = null;
  private token: PointedToken | null = null;

  /** Listen on the map's element, and on the window, because Plotly covers the page during a drag. */
  constructor(
    private readonly box: HTMLElement,
    private readonly targets: PointerTargets,
    private readonly handlers: PointerHandlers,
  ) {
    const { signal } = this.listening;
    box.addEventListener("pointermove", this.moved, { signal });
    box.addEventListener("pointerleave", () => this.pointAtNothing(), { signal });
    box.addEventListener("pointerdown", this.started, { signal });
    box.addEventListener("touchend", keepFromPressing, { signal, capture: true });
    addEventListener("pointermove", this.dragged, { signal });
    addEventListener("pointerup", this.lifted, { signal });
    addEventListener("pointercancel", this.cancelled, { signal });
  }

  /** Return the modifier held when the pointer last went down. */
  get held(): HeldModifier {
    return this.lastModifier;
  }

  /** Return whether a pointer is down. */
  get isDown(): boolean {
    return this.down.size > 0;
  }

  /** Clear the pointed token, because the map moved or the pointer left it. */
  pointAtNothing() {
    this.pointAt(null, false);
  }

  stop() {
    this.listening.abort();
  }

  private readonly moved = (event: PointerEvent) => {
    const overDistrict = this.districtUnder(event) !== null;
    const busy = event.pointerType === "touch" || event.buttons !== 0;
    const points = !busy && !overDistrict && !this.targets.isDrawing();
    this.pointAt(points ? this.tokenUnder(event) : null, overDistrict);
  };

  private readonly started = (event: PointerEvent) => {
    this.down.add(event.pointerId);
    const modifier = event.shiftKey ? "add" : event.altKey ? "take" : null;
    this.lastModifier = modifier;
    // Two fingers pinch; neither of them taps.
    this.pressed = this.down.size > 1 ? null : { x: event.clientX, y: event.clientY, modifier };
  };

  /** Drop the click once the pointer has moved away, even if it returns as a lasso does. */
  private readonly dragged = (event: PointerEvent) => {
    if (this.pressed && hasMoved(event, this.pressed)) this.pressed = null;
  };

  private readonly cancelled = (event: PointerEvent) => {
    this.down.delete(event.pointerId);
    this.pressed = null;
  };

  private readonly lifted = (event: PointerEvent) => {
    const { pressed } = this;
    this.cancelled(event);
    if (pressed && !hasMoved(event, pressed)) this.click(event, pressed.modifier);
  };

  private click(event: PointerEvent, modifier: HeldModifier) {
    const { handlers, taps } = this;
    const touch = event.pointerType === "touch";
    const double = touch && taps.recordTap(event.clientX, event.clientY, event.timeStamp);
    const district = this.districtUnder(event);
    const token = this.tokenUnder(event);
    if (modifier) {
      if (token) handlers.select(token.id, modifier);
    } else if (district !== null) handlers.chooseDistrict(district);
    else if (token) handlers.choose(token.id);
    else if (double) handlers.doubleTapped();
  }

  private pointAt(token: PointedToken | null, overDistrict: boolean) {
    const last = this.token;
    this.token = token;
    this.handlers.pointed(token, overDistrict);
    if (token?.id !== last?.id) this.handlers.hovered(token?.id ?? null);
  }

  private tokenUnder(event: PointerEvent): PointedToken | null {
    const { x, y } = this.positionOf(event);
    const reach = event.pointerType === "touch" ? TOUCH_REACH : MOUSE_REACH;
    const id = this.targets.tokenAt(x, y, reach);
    return id === null ? null : { id, x, y };
  }

  private districtUnder(event: PointerEvent): number | null {
    const { x, y } = this.positionOf(event);
    return this.targets.districtAt(x, y);
  }

  private positionOf({ clientX, clientY }: PointerEvent): Point {
    const { left, top } = this.box.getBoundingClientRect();
    return { x: clientX - left, y: clientY - top };
  }
}

/** Keep a tap that opens something from also pressing it. */
function keepFromPressing(event: TouchEvent) {
  event.preventDefault();
}

function hasMoved({ clientX, clientY }: PointerEvent, { x, y }: Point): boolean {
  return Math.hypot(clientX - x, clientY - y) > MIN_DRAG;
}
