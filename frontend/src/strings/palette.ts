/** Texts of the palette: the panels, neighbourhoods and commands that the search finds. */

import { table } from "./translation";

export const palette = table("palette", {
  panel: "panel",
  neighbourhood: "neighbourhood",
  command: "command",
  course: "The course",
  does: {
    goLive: "Back to live, or to the end",
    goToFirstStep: "To the start, before the first step",
    toggleBeat: "Hold the reading of this step",
    trainOneStep: "Train one step, then pause for everyone",
    toggleMap: "The other map",
    toggleSecondMap: "Two maps side by side, or one",
    toggleLasso: "Select words with the lasso",
    showWholeMap: "Show the whole map",
    zoomIn: "Zoom in",
    zoomOut: "Zoom out",
    toggleEnlarged: "Larger type, for the back of the room",
    savePicture: "Save the picture",
    toggleShortcuts: "Help and keys",
  },
} as const);
