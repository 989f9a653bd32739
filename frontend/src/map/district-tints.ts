/** Colours of districts in lists. Pure. */

import type { Districts } from "../api/frames";
import type { Vocabulary } from "../api/vocabulary";
import type { ColourBy } from "../model/view/view-options";
import { classTint, tintOf } from "./palette";

/**
 * Return the colour of each district, in their order: its own where the map is coloured by districts, else that
 * of most of its words, so that a colour means one thing on the page.
 */
export function districtTints(
  { ids, of }: Pick<Districts, "ids" | "of">,
  vocabulary: Vocabulary,
  by: ColourBy,
): string[] {
  if (by === "district") return Array.from(ids, tintOf);
  const sizes = Array.from(ids, () => new Map<string, number>());
  of.forEach((district, token) => {
    const words = sizes[district - 1];
    const tint = classTint(vocabulary, vocabulary.classOf[token] ?? -1);
    words?.set(tint, (words.get(tint) ?? 0) + 1);
  });
  return sizes.map((words) => [...words].reduce((a, b) => (b[1] > a[1] ? b : a), ["", 0])[0]);
}
