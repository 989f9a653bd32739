/** The content of a map, as the page provides it. */

import type { Districts, Layout } from "../../api/frames";
import type { Vocabulary } from "../../api/vocabulary";
import type { Look } from "../../model/look";
import type { MapMarks } from "../overlay/overlay-model";
import type { Light } from "../../model/light";
import { UNMARKED } from "./displayed-map";

/** The part of a run that is on the map. */
export interface MapContent {
  vocabulary: Vocabulary | null;
  layout: Layout | null;
  /** Clusters found in the embedding space; null if none were computed. */
  districts: Districts | null;
  /** Four bytes per token: rgb, and its unlit brightness; null if not known. */
  tints: Uint8Array | null;
  beat: Light | null;
  /** Brightness at which the last beat stays lit until the next one, 0 to 1. */
  heldBrightness: number;
  /** True while the viewer scrubs through time: changes are shown at once, and coarsely. */
  scrubbing: boolean;
}

/** The content of a scene: that of the map, the viewer's marks, and the camera. */
export interface SceneContent extends MapContent {
  marks: MapMarks;
  /** True to rotate layouts so that the selected tokens, and with them the view, hold still. */
  aligned: boolean;
  /** The part of the map to look at; null: all of it. */
  look: Look | null;
  /** True for the back of a room: labels and lamps are larger, the land is lighter. */
  enlarged: boolean;
}

export const NO_CONTENT: SceneContent = {
  vocabulary: null,
  layout: null,
  districts: null,
  tints: null,
  beat: null,
  heldBrightness: 0,
  scrubbing: false,
  marks: UNMARKED,
  aligned: false,
  look: null,
  enlarged: false,
};
