/** All texts of the page in one place, one file per panel. Another language is another such folder. */

import { compare } from "./compare";
import { exports } from "./exports";
import { inspector } from "./inspector";
import { legend } from "./legend";
import { selection } from "./selection";
import { map } from "./map";
import { matrix } from "./matrix";
import { measures } from "./measures";
import { ownText } from "./own-text";
import { page } from "./page";
import { run } from "./run";
import { film } from "./film";
import { picture } from "./picture";
import { runs } from "./runs";
import { skyline } from "./skyline";
import { step } from "./step";
import { announcements } from "./announcements";
import { token } from "./token";
import { transport } from "./transport";

export { failureText } from "./failures";
export { entryText } from "./legend";
export { bytes, count, fixed, small } from "./numbers";
export { formatDuration, formatTime } from "./run";
export { runSentence } from "./runs";

export const t = {
  ...compare,
  ...exports,
  ...inspector,
  ...legend,
  ...selection,
  ...map,
  ...matrix,
  ...measures,
  ...ownText,
  ...page,
  ...run,
  ...film,
  ...picture,
  ...runs,
  ...skyline,
  ...step,
  announcements,
  ...token,
  ...transport,
} as const;
