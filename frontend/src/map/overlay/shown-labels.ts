/**
 * The labels on the map from frame to frame. Each frame places them at the positions of that instant, so that
 * they stay with their lamps and never overlap while labels move and fade.
 */

import type { PixelRect } from "../../model/plane/viewport";
import {
  labelRect,
  placeLabels,
  textsMeet,
  type LabelCandidate,
  type PlacedLabel,
} from "./label-placement";

/** A label in a frame. */
export interface ShownLabel<C extends LabelCandidate> extends PlacedLabel<C> {
  /** Opacity, 0 to 1; 0 while it waits for the place of a label that is still fading. */
  alpha: number;
  /** False while it fades out. */
  wanted: boolean;
}

/** Change of a label's opacity per millisecond while it fades in and out. */
const FADE_IN = 1 / 180;
const FADE_OUT = 1 / 100;
/** Maximum time by which one frame lets labels fade, in ms: the previous frame may be long ago. */
const MAX_FRAME = 80;

/** The labels of one map. */
export class ShownLabels<C extends LabelCandidate> {
  private candidates: C[] = [];
  private most = 0;
  private readonly shown = new Map<string, ShownLabel<C>>();

  /** Show these labels from now on, most important first, and at most `most` of them. */
  choose(candidates: Iterable<C>, most: number) {
    this.candidates = [...candidates];
    this.most = most;
  }

  /**
   * Advance to the next frame. Return whether labels are still fading.
   *
   * `positionOf` returns a label's position in the frame, null if it has none; `elapsed` is the time since
   * the last frame, in ms, or Infinity to skip the fading.
   */
  advance(
    positionOf: (label: C) => readonly [number, number] | null,
    within: PixelRect,
    elapsed: number,
  ): boolean {
    const { shown } = this;
    for (const [key, label] of shown) {
      const candidate = moved(label.candidate, positionOf);
      if (!candidate) shown.delete(key);
      else Object.assign(label, { candidate, box: labelRect(candidate, label.dx, label.dy) });
    }
    const visible = new Map([...shown].filter(([, { alpha }]) => alpha > 0));
    const here = this.candidates.flatMap((label) => moved(label, positionOf) ?? []);
    const placed = placeLabels(here, within, this.most, visible);
    for (const label of shown.values()) label.wanted = false;
    for (const one of placed) {
      const { key } = one.candidate;
      const alpha = shown.get(key)?.alpha ?? 0;
      shown.set(key, { ...one, alpha, wanted: true });
    }
    return this.fade(Math.min(elapsed, elapsed === Infinity ? 1e9 : MAX_FRAME));
  }

  /** Return the labels to draw. */
  get drawn(): ShownLabel<C>[] {
    return [...this.shown.values()].filter(({ alpha }) => alpha > 0);
  }

  /** Return the labels that stay. */
  get wanted(): ShownLabel<C>[] {
    return [...this.shown.values()].filter(({ wanted }) => wanted);
  }

  /** Return a label that is on the map and stays; undefined otherwise. */
  find(key: string): C | undefined {
    const label = this.shown.get(key);
    return label?.wanted ? label.candidate : undefined;
  }

  /** Remove all labels from the map at once. */
  removeAll() {
    this.candidates = [];
    this.shown.clear();
  }

  private fade(elapsed: number): boolean {
    const { shown } = this;
    const drawn = this.wanted.filter(({ alpha }) => alpha > 0);
    for (const [key, label] of shown) {
      if (label.wanted) continue;
      label.alpha -= elapsed * FADE_OUT;
      // Movement may bring it over another before it has faded.
      if (label.alpha <= 0 || drawn.some(({ box }) => textsMeet(box, label.box))) shown.delete(key);
      else drawn.push(label);
    }
    const fading = drawn.filter(({ wanted }) => !wanted);
    for (const label of shown.values()) {
      if (!label.wanted || label.alpha >= 1) continue;
      if (!fading.some(({ box }) => textsMeet(box, label.box)))
        label.alpha = Math.min(1, label.alpha + elapsed * FADE_IN);
    }
    return [...shown.values()].some(({ alpha, wanted }) => !wanted || alpha < 1);
  }
}

/** Return a label at its position in a frame; null if it has none. */
function moved<C extends LabelCandidate>(
  label: C,
  positionOf: (label: C) => readonly [number, number] | null,
): C | null {
  const at = positionOf(label);
  return at && { ...label, x: at[0], y: at[1] };
}
