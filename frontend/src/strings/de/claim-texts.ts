/** German texts of the claims. */

import german from "../../../../backend/lamplighter/claims/texts/de.json";
import type { claimTexts as english } from "../claim-texts";
import type { Translated } from "../translation";

export const claimTexts: Translated<typeof english> = german;
