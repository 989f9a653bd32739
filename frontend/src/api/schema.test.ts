import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { OpenApi, Schema } from "../../openapi";
import { recipeValues } from "../../recipe-values";
import { schemaTypes } from "../../schema-types";
import * as field from "./generated/recipe";

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
const DOCUMENT = JSON.parse(read("../../openapi.json")) as OpenApi;
const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
const json = (schema: Schema) => ({ content: { "application/json": { schema } } });

/** Return a document whose one operation accepts and returns a `Lamp`. */
function documentOf(lamp: Schema, others: Record<string, Schema> = {}): OpenApi {
  const operation = { requestBody: json(ref("Lamp")), responses: { "201": json(ref("Lamp")) } };
  return {
    paths: { "/lamps": { post: operation } },
    components: { schemas: { Lamp: lamp, ...others } },
  };
}

/** Return the lines of a `Lamp` in one of the two interfaces. */
function fieldsOf(text: string, direction: string): string[] {
  const [, members = ""] = text.split(`export interface ${direction} {`);
  const [, fields = ""] = /"Lamp": \{\n(.*?)\n {2}\};/s.exec(members) ?? [];
  return fields.split("\n").map((line) => line.trim());
}

const LAMP: Schema = {
  type: "object",
  required: ["id", "where", "class", "sizes", "parts"],
  properties: {
    id: { type: "integer", minimum: 0 },
    where: { type: "array", prefixItems: [{ type: "number" }, { type: "string" }] },
    class: { anyOf: [{ type: "string" }, { type: "null" }], description: "Null: none." },
    sizes: { type: "array", items: { anyOf: [{ type: "number" }, { type: "null" }] } },
    parts: { type: "object", additionalProperties: ref("Part") },
    lit: { type: "boolean", default: false },
    note: { anyOf: [{ type: "string" }, { type: "null" }] },
    kind: { type: "string", enum: ["gas", "oil"], default: "gas" },
    version: { const: 1, type: "integer" },
  },
};
const PART: Schema = { type: "object", properties: {} };

describe("the generated types", () => {
  const text = schemaTypes(documentOf(LAMP, { Part: PART, Alone: ref("Part") }));

  it("describe the possible values of a field", () => {
    expect(fieldsOf(text, "Sent")).toEqual([
      '"id": number;',
      '"where": [number, string];',
      "/** Null: none. */",
      '"class": string | null;',
      '"sizes": (number | null)[];',
      '"parts": Record<string, Sent["Part"]>;',
      '"lit"?: boolean;',
      '"note"?: string | null;',
      '"kind"?: "gas" | "oil";',
      '"version"?: 1;',
    ]);
  });

  it("rely on a default in what the server sends, and only there", () => {
    const answered = fieldsOf(text, "Answered");
    expect(answered).toContain('"lit": boolean;');
    expect(answered).toContain('"kind": "gas" | "oil";');
    expect(answered).toContain('"note"?: string | null;');
  });

  it("name the body and the answer of an operation", () => {
    expect(text).toContain('"POST /lamps": { body: Sent["Lamp"]; answer: Answered["Lamp"] };');
  });

  it("treat schemas without an operation as sent by the server", () => {
    expect(text).toContain('"Alone": Answered["Part"];');
    expect(text).not.toContain('Sent["Alone"]');
  });

  it("are refused rather than wrong", () => {
    const odd = { type: "object", properties: { a: { type: "string", allOf: [PART] } as Schema } };
    expect(() => schemaTypes(documentOf(odd))).toThrow("allOf");
    expect(() => schemaTypes(documentOf({ type: "stringy" }))).toThrow("stringy");
    expect(() => schemaTypes(documentOf(ref("Nothing")))).toThrow("Nothing");
  });

  it("match the document", () => {
    expect(read("generated/schema.ts")).toBe(schemaTypes(DOCUMENT));
    expect(read("generated/recipe.ts")).toBe(recipeValues(DOCUMENT));
  });
});

describe("the generated values", () => {
  const values: Record<string, Record<string, unknown> | undefined> = field;
  const fields = (schema: string) =>
    Object.entries(DOCUMENT.components.schemas[schema]!.properties!);

  it("are the defaults and limits of a recipe's fields", () => {
    expect(field.modelDim).toEqual({ default: 64, minimum: 2, maximum: 16_384 });
    for (const [name, { minimum, maximum, default: value }] of fields("MapRecipe")) {
      const known =
        values[`map_${name}`.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())];
      expect([known?.["minimum"], known?.["maximum"], known?.["default"]]).toEqual([
        minimum,
        maximum,
        value,
      ]);
    }
  });

  it("follow a recipe that overrides the default of a part", () => {
    const { components } = structuredClone(DOCUMENT);
    components.schemas["Recipe"]!.properties!["map"]!.default = { neighbours: 7 };
    const text = recipeValues({ paths: {}, components });
    expect(text).toContain("export const mapNeighbours = { default: 7, minimum: 2,");
  });

  it("are refused for a field without a default", () => {
    const { components } = structuredClone(DOCUMENT);
    delete components.schemas["Recipe"]!.properties!["steps"]!.default;
    expect(() => recipeValues({ paths: {}, components })).toThrow(
      "steps of a recipe has no default",
    );
  });
});
