/** What a picture of the run is made of at one moment. */

import type { Districts, Layout, Method } from "../wire/frames";
import type { Ledger } from "./ledger";
import type { StepBeat } from "./stepbeat";

export interface Counters {
  step: number;
  loss: number;
  recently: { rows: number; steps: number; about: boolean };
  ever: number;
}

/** A step told in two beats: first the light and the gradients, then the move. Else both are there. */
export type Telling = "light" | "move" | null;

export type Layouts = Partial<Record<Method, Layout>>;

export class Shown {
  layouts = $state.raw<Layouts>({});
  /** The clusters of the space; null where nobody had looked for any. */
  districts = $state.raw<Districts | null>(null);
  beat = $state.raw<StepBeat | null>(null);
  counters = $state.raw<Counters | null>(null);
  ledger = $state.raw<Ledger | null>(null);
  telling = $state<Telling>(null);

  /** Look like another moment. */
  copy(other: Shown) {
    this.layouts = other.layouts;
    this.districts = other.districts;
    this.beat = other.beat;
    this.counters = other.counters;
    this.ledger = other.ledger;
  }
}

export function countersOf(ledger: Ledger, loss: number): Counters {
  return { step: ledger.step, loss, recently: ledger.litRecently(), ever: ledger.ever };
}
