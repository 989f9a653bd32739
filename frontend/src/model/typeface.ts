/**
 * The typeface of drawn text: on the map, in charts, pictures and films. The page's own is in `page.css`;
 * characters that it lacks use the system's fonts.
 */
export const FONT_FAMILY = '"Inter Variable", Inter, system-ui, sans-serif';
