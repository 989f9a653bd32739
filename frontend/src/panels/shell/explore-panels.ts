/** The cards of what is chosen, and the second map: they load together when the first of them is opened. */

import SelectionPanel from "../selection/SelectionPanel.svelte";
import DistrictPanel from "../token/DistrictPanel.svelte";
import TokenPanel from "../token/TokenPanel.svelte";

export { default as SecondMap } from "../compare/SecondMap.svelte";

export const EXPLORE_PANELS = {
  token: TokenPanel,
  district: DistrictPanel,
  gathered: SelectionPanel,
};
