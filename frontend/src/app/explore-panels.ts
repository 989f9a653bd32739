/** The cards of a choice, and the second map: they load together when the first of them opens. */

import SelectionPanel from "../features/token/SelectionPanel.svelte";
import DistrictPanel from "../features/token/DistrictPanel.svelte";
import TokenPanel from "../features/token/TokenPanel.svelte";

export { default as SecondMap } from "../features/compare/SecondMap.svelte";

export const EXPLORE_PANELS = {
  token: TokenPanel,
  district: DistrictPanel,
  gathered: SelectionPanel,
};
