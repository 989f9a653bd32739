/** The corner of the map where the cards of a class lie. Pure. */

/** Space below the top of the map, in rem: where nothing lies there, and below the caption of the first of two maps. */
const SPACE = 0.4;
const BELOW_CAPTION = 3;

/** Return the top of the corner, as CSS. `top` is that of the map in px. */
export function cornerTop(top: number, twoMaps: boolean): string {
  return `calc(${top}px + ${twoMaps ? BELOW_CAPTION : SPACE}rem)`;
}

/** Return the left of the corner, as CSS. `left` is that of the map in px: the course may stand beside it. */
export function cornerLeft(left: number): string {
  return `calc(${left}px + 0.6rem)`;
}
