/** The German tables of this folder, by the names of the English ones; the first screen's texts are one table, `t`. */

import { announcements } from "./first-screen/announcements";
import { compare } from "./first-screen/compare";
import { inspector } from "./first-screen/inspector";
import { legend } from "./first-screen/legend";
import { page } from "./first-screen/page";
import { picture } from "./first-screen/picture";
import { selection } from "./first-screen/selection";
import { transport } from "./first-screen/transport";

export { ask } from "./ask";
export { cards } from "./cards";
export { claimTexts } from "./claim-texts";
export { districtChanges } from "./district-changes";
export { events } from "./events";
export { exports } from "./exports";
export { forks } from "./forks";
export { failures, reasons } from "./failures";
export { hiddenStates } from "./hidden-states";
export { map } from "./map";
export { measures } from "./measures";
export { ownText } from "./own-text";
export { run } from "./run";
export { twoCities } from "./two-cities";

export const t = {
  ...compare,
  ...inspector,
  ...legend,
  ...selection,
  ...page,
  ...picture,
  ...transport,
  announcements,
};
