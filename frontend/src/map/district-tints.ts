/** Colours of districts in lists. Pure. */

import type { Districts } from "../api/frames";
import type { Vocabulary } from "../api/vocabulary";
import { countKinds, ownerOf } from "../model/districts/counting";
import type { ColourBy } from "../model/view/view-options";
import { classTint, tintOf } from "./palette";

/**
 * Return the colour of each district, in their order. A map coloured by districts gives each its own. Otherwise a district
 * has the colour of most of its words: by process where the map is coloured by owner, else by kind.
 */
export function districtTints(
  { ids, of }: Pick<Districts, "ids" | "of">,
  vocabulary: Vocabulary,
  by: ColourBy,
  owners?: [number, number][],
): string[] {
  if (by === "district") return Array.from(ids, tintOf);
  const words = Array.from(ids, (): number[] => []);
  of.forEach((district, token) => words[district - 1]?.push(token));
  const tint = (token: number) =>
    by === "owner" && owners
      ? tintOf(ownerOf(owners, token))
      : classTint(vocabulary, vocabulary.classOf[token] ?? -1);
  return words.map((tokens) => countKinds(tokens, tint)[0]?.[0] ?? "");
}
