/** All texts of the page in one place, one file per panel. Another language is another such folder. */

import { beside } from "./compare";
import { exports } from "./exports";
import { inspector } from "./inspector";
import { legend } from "./legend";
import { gathered } from "./selection";
import { map } from "./map";
import { matrix } from "./matrix";
import { measures } from "./measures";
import { page } from "./page";
import { run } from "./run";
import { film } from "./film";
import { pictures } from "./picture";
import { runs } from "./runs";
import { skyline } from "./skyline";
import { step } from "./step";
import { told } from "./announcements";
import { token } from "./token";
import { transport } from "./transport";

export { failureText } from "./failures";
export { entryWords } from "./legend";
export { bytes, count, fixed, small } from "./numbers";
export { formatDuration, formatTime } from "./run";

export const t = {
  ...beside,
  ...exports,
  ...inspector,
  ...legend,
  ...gathered,
  ...map,
  ...matrix,
  ...measures,
  ...page,
  ...run,
  ...film,
  ...pictures,
  ...runs,
  ...skyline,
  ...step,
  told,
  ...token,
  ...transport,
} as const;
