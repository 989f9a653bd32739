/**
 * Script that writes `src/api/generated/` from `openapi.json`. `build_frontend.py` runs it before every tool
 * that reads the sources; the folder is not committed.
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { OpenApi } from "./openapi.ts";
import { recipeValues } from "./recipe-values.ts";
import { schemaTypes } from "./schema-types.ts";

const source = join(import.meta.dirname, "openapi.json");
const folder = join(import.meta.dirname, "src", "api", "generated");

const document = JSON.parse(readFileSync(source, "utf8")) as OpenApi;
const modules = { "schema.ts": schemaTypes(document), "recipe.ts": recipeValues(document) };

mkdirSync(folder, { recursive: true });
for (const [name, text] of Object.entries(modules)) {
  const file = join(folder, name);
  // A file written again has a new time, for which a development server would load the page anew.
  if (!existsSync(file) || readFileSync(file, "utf8") !== text) writeFileSync(file, text);
}
