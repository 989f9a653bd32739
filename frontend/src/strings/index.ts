/**
 * The texts of the first screen, with one file per panel; panels that load late import their own. Another
 * language is another such folder.
 */

import { compare } from "./first-screen/compare";
import { inspector } from "./first-screen/inspector";
import { legend } from "./first-screen/legend";
import { selection } from "./first-screen/selection";
import { page } from "./first-screen/page";
import { picture } from "./first-screen/picture";
import { announcements } from "./first-screen/announcements";
import { table } from "./translation";
import { transport } from "./first-screen/transport";

export { failureText, toldText } from "./failures";
export { entryText } from "./first-screen/legend";
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
