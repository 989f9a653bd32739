/** A line from the chosen token to one that is near it. */

export type LinkKind = "space" | "map" | "both";

/** A link to a neighbour of the chosen token. */
export interface LinkLine {
  id: number;
  /** Cosine of the angle between the two rows; null if not known. */
  cosine: number | null;
  kind: LinkKind;
}
