/** What a layout is as a country: its land, how its groups of tokens lie, and which tokens are where. Pure. */

import { districtAt, type Lie, type Members } from "./districts";
import { gridOf, type Grid } from "./picking";
import { coordinates, span, type Placement, type View } from "./placement";
import { reliefOf, type Relief } from "./relief";

export interface Survey {
  /** The span of the great majority of tokens. */
  box: View;
  relief: Relief;
  /** By group. */
  lies: Lie[];
  grid: Grid;
}

export function survey(placement: Placement, { ids, starts }: Members): Survey {
  const xy = coordinates(placement);
  const box = span(xy);
  const lies: Lie[] = [];
  for (let group = 0; group + 1 < starts.length; group++) {
    lies.push(districtAt(xy, ids.subarray(starts[group]!, starts[group + 1]!), box));
  }
  return { box, relief: reliefOf(xy, box), lies, grid: gridOf(xy, box) };
}
