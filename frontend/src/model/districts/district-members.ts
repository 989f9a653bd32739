/** The members of a district. Pure. */

import type { Districts } from "../../api/frames";

/** Return the tokens of a district, ascending; empty if there is no such district. */
export function tokensOfDistrict(id: number | null, districts: Districts | null): number[] {
  const place = id === null || !districts ? 0 : districts.ids.indexOf(id) + 1;
  const tokens: number[] = [];
  if (place) districts?.of.forEach((of, token) => of === place && tokens.push(token));
  return tokens;
}
