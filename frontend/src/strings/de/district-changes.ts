/** German texts of changes to neighbourhoods. */

import type { districtChanges as english } from "../district-changes";
import { count } from "../numbers";
import type { Translated } from "../translation";

const size = (words: number) => `${count(words)} ${words === 1 ? "Wort" : "Wörter"}`;

export const districtChanges: Translated<typeof english> = {
  "district-born": ({ name, words }) => `Neues Viertel: „${name}“ (${size(words)})`,
  "district-split": ({ name, other, words }) =>
    `„${name}“ (${size(words)}) hat sich von „${other}“ abgespalten`,
  "district-merged": ({ name, other }) => `„${name}“ ist in „${other}“ aufgegangen`,
  "district-gone": ({ name }) => `„${name}“ hat sich aufgelöst`,
};
