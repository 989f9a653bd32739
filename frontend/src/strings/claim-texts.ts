/** What the codes of the claims mean: the command line reads the same file. */

import english from "../../../backend/lamplighter/claims/texts/en.json";
import { table } from "./translation";

export const claimTexts = table("claimTexts", english);
