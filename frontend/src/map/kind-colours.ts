/** Lamp colours by kind of token, for maps without a colouring of their own. Pure. */

import type { Districts } from "../api/frames";
import type { Vocabulary } from "../api/vocabulary";
import { clusterGroups } from "./regions/districts";
import { INK, tintOf, unit } from "./palette";

/**
 * Return four bytes per token: rgb, and its unlit brightness. Tokens are coloured by district if `found` is
 * given, else by class; those in none have the colour of plain text.
 */
export function kindColours(vocabulary: Vocabulary, found: Districts | null): Uint8Array {
  const { tokens, classOf, byCount } = vocabulary;
  const tints = found && clusterGroups(found, vocabulary).map(({ tint }) => tintOf(tint));
  const tint = (id: number) => {
    if (found && tints) return tints[(found.of[id] ?? 0) - 1] ?? INK.text;
    return classOf[id]! < 0 ? INK.text : tintOf(classOf[id]!);
  };
  const bytes = new Uint8Array(4 * tokens.length);
  byCount.forEach((id, place) => {
    const common = 1 - place / tokens.length;
    bytes.set(
      unit(tint(id)).map((part) => 255 * part),
      4 * id,
    );
    bytes[4 * id + 3] = 255 * (0.55 + 0.4 * common ** 2);
  });
  return bytes;
}
