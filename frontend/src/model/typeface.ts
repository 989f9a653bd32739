/**
 * The typeface of texts that are drawn: on the map, in charts, pictures and films. The page's own is in `page.css`; scripts
 * that it lacks are drawn in the system's.
 */
export const FONT_FAMILY = '"Inter Variable", Inter, system-ui, sans-serif';
