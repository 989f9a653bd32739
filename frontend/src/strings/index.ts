/** Every sentence the page says, in one place: a file a panel. Another language is another such folder. */

import { exports } from "./exports";
import { map } from "./map";
import { measures } from "./measures";
import { page } from "./page";
import { runs } from "./runs";
import { step } from "./step";
import { token } from "./token";
import { transport } from "./transport";

export { bytes, count, fixed, small } from "./numbers";

export const t = {
  ...exports,
  ...map,
  ...measures,
  ...page,
  ...runs,
  ...step,
  ...token,
  ...transport,
} as const;
