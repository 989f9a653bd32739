/**
 * The texts of the first screen, with one file per panel; panels that load late import their own. Another
 * language is another such folder.
 */

import { compare } from "./compare";
import { inspector } from "./inspector";
import { legend } from "./legend";
import { selection } from "./selection";
import { page } from "./page";
import { picture } from "./picture";
import { announcements } from "./announcements";
import { table } from "./translation";
import { transport } from "./transport";

export { failureText } from "./failures";
export { entryText } from "./legend";
export { bytes, count, fixed, small } from "./numbers";

export const t = table("t", {
  ...compare,
  ...inspector,
  ...legend,
  ...selection,
  ...page,
  ...picture,
  announcements,
  ...transport,
} as const);
