/** The German tables of this folder, by the names of the English ones; the first screen's texts are one table, `t`. */

import { announcements } from "./announcements";
import { compare } from "./compare";
import { inspector } from "./inspector";
import { legend } from "./legend";
import { page } from "./page";
import { picture } from "./picture";
import { selection } from "./selection";
import { transport } from "./transport";

export { ask } from "./ask";
export { cards } from "./cards";
export { claimTexts } from "./claim-texts";
export { districtChanges } from "./district-changes";
export { events } from "./events";
export { exports } from "./exports";
export { forks } from "./forks";
export { failures, reasons } from "./failures";
export { map } from "./map";
export { measures } from "./measures";
export { legendBody } from "./legend-body";
export { palette } from "./palette";
export { run } from "./run";
export { runList } from "./runs";
export { secondMap } from "./second-map";
export { selectionPanel } from "./selection-panel";
export { stepPanel } from "./step";
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
