/** The type of a line from the chosen token to a neighbour. */

export type LinkKind = "space" | "map" | "both";

/** A link to a neighbour of the chosen token. */
export interface NeighbourLink {
  id: number;
  /** Cosine of the angle between the two rows; null if not known. */
  cosine: number | null;
  kind: LinkKind;
}
