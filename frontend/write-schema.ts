/**
 * Writes `src/api/generated/` from `openapi.json`, and the address keys from `view_query.json`.
 * `build_frontend.py` runs it before every tool that reads the sources; the folder is not committed.
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { OpenApi } from "./openapi.ts";
import { recipeValues } from "./recipe-values.ts";
import { schemaTypes } from "./schema-types.ts";

const source = join(import.meta.dirname, "openapi.json");
const folder = join(import.meta.dirname, "src", "api", "generated");

const document = JSON.parse(readFileSync(source, "utf8")) as OpenApi;
const viewQuery = join(
  import.meta.dirname,
  "..",
  "backend",
  "lamplighter",
  "lessons",
  "view_query.json",
);
const modules = {
  "schema.ts": schemaTypes(document),
  "recipe.ts": recipeValues(document),
  "view-query.ts": viewQueryTables(readFileSync(viewQuery, "utf8")),
};

mkdirSync(folder, { recursive: true });
for (const [name, text] of Object.entries(modules)) {
  const file = join(folder, name);
  // Rewriting a file changes its time, which would make a development server reload the page.
  if (!existsSync(file) || readFileSync(file, "utf8") !== text) writeFileSync(file, text);
}

/** Return a module with constant tables of the address keys that a lesson may set. */
function viewQueryTables(text: string): string {
  const tables = Object.entries(JSON.parse(text) as object).map(
    ([name, table]) => `export const ${name.toUpperCase()} = ${JSON.stringify(table)} as const;\n`,
  );
  return ["// Generated from view_query.json by write-schema.ts.\n", ...tables].join("\n");
}
