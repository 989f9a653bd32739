/** The recipe of a run that was trained here, as opposed to a recorded one. Pure. */

import type { Recipe, Run } from "../api/rest-types";

/** Return the recipe if the run was trained here; null for a recorded run, or if it is not known. */
export function trainedRecipe(recipe: Run["recipe"] | undefined): Recipe | null {
  return recipe && "optimiser" in recipe ? recipe : null;
}
