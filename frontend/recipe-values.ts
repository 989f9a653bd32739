/** A recipe's defaults and limits as TypeScript, from the OpenAPI document. */

import { findSchema, referencedName, type OpenApi, type Schema } from "./openapi.ts";

const RECIPE = "Recipe";
/** Fields that only the recipes of forks, of sums and with a sampled softmax have. */
const OPTIONAL_FIELDS = new Set([
  ...["parent", "corpus.other_town", "optimiser.frozen"],
  ...["corpus.modulus", "corpus.train_share", "optimiser.weight_decay"],
  "model.negatives",
]);

/** The facts of a field that the page may use, under the document's names. */
const FACTS = ["default", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"] as const;

/**
 * Return a module with a constant for each field of a recipe, such as `modelDim` for `model.dim`. Each is a
 * separate export, so that unused ones are left out of the page.
 */
export function recipeValues(document: OpenApi): string {
  const head = "// Generated from openapi.json by write-schema.ts.\n";
  return (
    [head, ...constants(document, findSchema(document, RECIPE), [], undefined)].join("\n") + "\n"
  );
}

/** Return the constants of a schema; a default given by its parent overrides those of its fields. */
function constants(document: OpenApi, schema: Schema, path: string[], held: unknown): string[] {
  const given = (held ?? {}) as Record<string, unknown>;
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const here = [...path, name];
    const value = given[name] ?? field.default;
    if (field.$ref !== undefined)
      return constants(document, findSchema(document, referencedName(field.$ref)), here, value);
    if ("const" in field) return [];
    if (value === undefined && OPTIONAL_FIELDS.has(here.join("."))) return [];
    if (value === undefined) throw new Error(`${here.join(".")} of a recipe has no default`);
    const facts = FACTS.flatMap((fact) => {
      const known = fact === "default" ? value : field[fact];
      return known === undefined ? [] : [`${fact}: ${JSON.stringify(known)}`];
    });
    return [`export const ${camelCase(here)} = { ${facts.join(", ")} } as const;`];
  });
}

function camelCase(path: string[]): string {
  return path.join("_").replace(/_+(\w)/g, (_, letter: string) => letter.toUpperCase());
}
