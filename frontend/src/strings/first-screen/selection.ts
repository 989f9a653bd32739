/** Texts about selected tokens: their panel, and the strip on the map. */

import { count } from "../numbers";

const words = (n: number) => (n === 1 ? "1 word" : `${count(n)} words`);

export const selection = {
  selection: {
    said: (n: number) => (n ? `${words(n)} selected` : "No words selected"),
    toldWith: (n: number, some: string) => `${words(n)} selected: ${some}`,
    letGo: "Clear",
    letGoMore: "Deselect these words (Esc)",
    open: "Show these words",
    before: "New words",
    how: {
      new: ["New selection", "New words replace the selection"],
      add: ["Add", "New words are added to the selection (Shift on the map)"],
      take: ["Remove", "New words are removed from the selection (Alt on the map)"],
    } satisfies Record<"new" | "add" | "take", [string, string]>,
    drawing: "Draw around words.",
    stopDrawing: "Done",
    aligned: (n: number) => `${words(n)} held in place`,
  },
} as const;
