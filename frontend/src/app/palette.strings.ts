/** Texts of the palette: the panels, neighbourhoods and commands that the search finds. */

import { table } from "../strings/translation";

export const palette = table("palette", {
  panel: "panel",
  neighbourhood: "neighbourhood",
  command: "command",
  course: "The course",
  does: {
    goLive: "Back to live, or to the end",
    goToFirstStep: "To the start, before the first step",
    toggleBeat: "Pause after reading, then update",
    trainOneStep: "Train one step, then pause for everyone",
    toggleMap: "The other map",
    toggleSecondMap: "Two maps side by side, or one",
    toggleLasso: "Select words with the lasso",
    showWholeMap: "Show the whole map",
    zoomIn: "Zoom in",
    zoomOut: "Zoom out",
    toggleEnlarged: "Presentation mode: larger text",
    savePicture: "Save image",
    toggleShortcuts: "Help and keys",
  },
} as const);
