/** The recipe of a run that was trained here, told from what is known of a recorded one. Pure. */

import type { Recipe, Run } from "../api/rest-types";

/** Return the recipe if the run was trained by it; null for a recorded run, and while it is not known. */
export function trainedRecipe(recipe: Run["recipe"] | undefined): Recipe | null {
  return recipe && "optimiser" in recipe ? recipe : null;
}
