/** The corner of the map for the cards of a class. Pure. */

/** Space below the top of the map, in rem: on its own, and below the first map's caption when there are two. */
const SPACE = 0.4;
const BELOW_CAPTION = 3;

/** Return the top of the corner, as CSS; `top`: the top of the map, in px. */
export function cornerTop(top: number, twoMaps: boolean): string {
  return `calc(${top}px + ${twoMaps ? BELOW_CAPTION : SPACE}rem)`;
}

/** Return the left of the corner, as CSS; `left`: the left of the map in px, which the course may shift. */
export function cornerLeft(left: number): string {
  return `calc(${left}px + 0.6rem)`;
}
