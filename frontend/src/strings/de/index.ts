/** The German tables of this folder, by the names of the English ones; the first screen's texts are one table, `t`. */

import { announcements } from "./announcements";
import { compare } from "./compare";
import { inspector } from "./inspector";
import { legend } from "./legend";
import { page } from "./page";
import { picture } from "./picture";
import { runs } from "./runs";
import { selection } from "./selection";
import { step } from "./step";
import { token } from "./token";
import { transport } from "./transport";

export { ask } from "./ask";
export { districtChanges } from "./district-changes";
export { events } from "./events";
export { exports } from "./exports";
export { failures, reasons } from "./failures";
export { map } from "./map";
export { palette } from "./palette";
export { run } from "./run";
export { twoCities } from "./two-cities";

export const t = {
  ...compare,
  ...inspector,
  ...legend,
  ...selection,
  ...page,
  ...picture,
  ...runs,
  ...step,
  ...token,
  ...transport,
  announcements,
};
