/**
 * The OpenAPI document as TypeScript: its schemas as the server sends and accepts them, and its operations.
 */

import {
  findSchema,
  referencedName,
  type OpenApi,
  type Operation,
  type Schema,
} from "./openapi.ts";

/** The two directions of a schema, which differ in the fields that may be absent. */
type Direction = "Answered" | "Sent";

const JSON_MEDIA = "application/json";

/** Keywords that do not affect the type: they limit or describe values. */
const IGNORED = new Set([
  "title",
  "description",
  "readOnly",
  "default",
  "discriminator",
  "format",
  "contentMediaType",
  "pattern",
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "minLength",
  "maxLength",
  "minItems",
  "maxItems",
  "maxProperties",
]);

/** The keywords of each form of schema; a schema with any other keyword is rejected. */
const FORMS: [has: keyof Schema, ...others: (keyof Schema)[]][] = [
  ["$ref"],
  ["const", "type"],
  ["enum", "type"],
  ["anyOf"],
  ["oneOf"],
  ["prefixItems", "type"],
  ["items", "type"],
  ["properties", "type", "required", "additionalProperties"],
  ["additionalProperties", "type", "propertyNames"],
  ["type"],
];

const SIMPLE: Record<string, string | undefined> = {
  string: "string",
  integer: "number",
  number: "number",
  boolean: "boolean",
  null: "null",
  array: "unknown[]",
  object: "Record<string, unknown>",
};

/**
 * Return a module with the types `Answered` and `Sent` by schema name, and `Operations` by method and path.
 * Throws for a form of schema that is not in `FORMS`.
 */
export function schemaTypes(document: OpenApi): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const,
    ),
  );
  const sent = referencedNames(
    document,
    operations.map(([, one]) => bodySchema(one)),
  );
  // Schemas that no request body refers to are sent by the server, in an answer or on the socket.
  const others = Object.entries(document.components.schemas).filter(([name]) => !sent.has(name));
  const answered = referencedNames(document, [
    ...operations.map(([, one]) => answerSchema(one)),
    ...others.map(([, schema]) => schema),
  ]);
  for (const [name] of others) answered.add(name);
  return [
    "// Generated from openapi.json by write-schema.ts.",
    "",
    "/** The schemas of what the server sends: a field with a default is always there. */",
    ...interfaceLines(document, "Answered", answered),
    "",
    "/** The schemas of what the server takes: a field with a default may be left out. */",
    ...interfaceLines(document, "Sent", sent),
    "",
    "/** The bodies and the answers of the operations, where they are JSON. */",
    "export interface Operations {",
    ...operations.map(
      ([name, operation]) => `  ${JSON.stringify(name)}: ${operationType(operation)};`,
    ),
    "}",
    "",
  ].join("\n");
}

function bodySchema(operation: Operation): Schema | undefined {
  return operation.requestBody?.content[JSON_MEDIA]?.schema;
}

function answerSchema(operation: Operation): Schema | undefined {
  const done = Object.entries(operation.responses).find(([status]) => status.startsWith("2"));
  return done?.[1].content?.[JSON_MEDIA]?.schema;
}

function operationType(operation: Operation): string {
  const body = bodySchema(operation);
  const answer = answerSchema(operation);
  const type = (schema: Schema | undefined, direction: Direction) =>
    schema ? schemaType(schema, direction, "  ") : "undefined";
  return `{ body: ${type(body, "Sent")}; answer: ${type(answer, "Answered")} }`;
}

/** Return the names that schemas refer to, directly or transitively. */
function referencedNames(document: OpenApi, schemas: (Schema | undefined)[]): Set<string> {
  const names = new Set<string>();
  const visit = (schema: Schema | undefined) => {
    if (!schema) return;
    if (schema.$ref !== undefined) {
      const name = referencedName(schema.$ref);
      if (names.has(name)) return;
      names.add(name);
      visit(findSchema(document, name));
    }
    partsOf(schema).forEach(visit);
  };
  schemas.forEach(visit);
  return names;
}

/** Return the schemas directly inside a schema. */
function partsOf(schema: Schema) {
  const { anyOf, oneOf, prefixItems, items, properties, additionalProperties } = schema;
  const several = [anyOf, oneOf, prefixItems, properties && Object.values(properties)];
  const others = typeof additionalProperties === "object" ? additionalProperties : undefined;
  return [...several.flatMap((schemas) => schemas ?? []), items, others, schema.propertyNames];
}

function interfaceLines(document: OpenApi, direction: Direction, names: Set<string>): string[] {
  const members = [...names].sort().flatMap((name) => {
    const schema = findSchema(document, name);
    const type = schemaType(schema, direction, "  ");
    return [...commentLines(schema, "  "), `  ${JSON.stringify(name)}: ${type};`];
  });
  return [`export interface ${direction} {`, ...members, "}"];
}

function schemaType(schema: Schema, direction: Direction, indent: string): string {
  requireKnownForm(schema);
  const type = (part: Schema) => schemaType(part, direction, indent);
  const union = (types: string[]) => [...new Set(types)].join(" | ");
  const { additionalProperties: others } = schema;
  if (schema.$ref !== undefined)
    return `${direction}[${JSON.stringify(referencedName(schema.$ref))}]`;
  if ("const" in schema) return JSON.stringify(schema.const);
  if (schema.enum) return union(schema.enum.map((value) => JSON.stringify(value)));
  if (schema.anyOf) return union(schema.anyOf.map(type));
  if (schema.oneOf) return union(schema.oneOf.map(type));
  if (schema.prefixItems) return `[${schema.prefixItems.map(type).join(", ")}]`;
  if (schema.items) {
    const item = type(schema.items);
    return item.includes(" | ") ? `(${item})[]` : `${item}[]`;
  }
  if (schema.properties) return objectType(schema, direction, indent);
  if (typeof others === "object") {
    const { propertyNames: names } = schema;
    return names
      ? `Partial<Record<${type(names)}, ${type(others)}>>`
      : `Record<string, ${type(others)}>`;
  }
  return schema.type === undefined ? "unknown" : SIMPLE[schema.type]!;
}

function objectType(schema: Schema, direction: Direction, indent: string): string {
  const inner = `${indent}  `;
  const members = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const certain =
      schema.required?.includes(name) || (direction === "Answered" && "default" in field);
    const type = schemaType(field, direction, inner);
    return [
      ...commentLines(field, inner),
      `${inner}${JSON.stringify(name)}${certain ? "" : "?"}: ${type};`,
    ];
  });
  return ["{", ...members, `${indent}}`].join("\n");
}

/** Reject a schema with a type keyword that the generator would drop. */
function requireKnownForm(schema: Schema) {
  const words = Object.keys(schema).filter((word) => !IGNORED.has(word));
  const form = FORMS.find(([has]) => words.includes(has)) ?? [];
  const unknown = words.find((word) => !form.some((known) => known === word));
  if (unknown !== undefined || (schema.type !== undefined && !SIMPLE[schema.type]))
    throw new Error(`schema-types.ts knows no schema like ${JSON.stringify(schema).slice(0, 300)}`);
}

function commentLines({ description }: Schema, indent: string): string[] {
  if (!description) return [];
  const lines = description.replaceAll("*/", "*\\/").split("\n");
  if (lines.length === 1) return [`${indent}/** ${lines[0]!} */`];
  return [`${indent}/**`, ...lines.map((line) => `${indent} * ${line}`.trimEnd()), `${indent} */`];
}
