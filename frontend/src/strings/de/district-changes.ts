/** German texts of changes to neighbourhoods. */

import type { districtChanges as english } from "../district-changes";
import { count } from "../numbers";
import { translateName } from "./names";
import type { Translated } from "../translation";

const size = (words: number) => `${count(words)} ${words === 1 ? "Wort" : "Wörter"}`;

export const districtChanges: Translated<typeof english> = {
  "district-born": ({ name, words }) => `Neues Viertel: ${translateName(name)} (${size(words)})`,
  "district-split": ({ name, other, words }) =>
    `${translateName(name)} (${size(words)}) hat sich von ${translateName(other)} abgespalten`,
  "district-merged": ({ name, other }) =>
    `${translateName(name)} ist in ${translateName(other)} aufgegangen`,
  "district-gone": ({ name }) => `${translateName(name)} hat sich aufgelöst`,
};
