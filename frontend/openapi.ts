/** The parts of an OpenAPI document that the generators read, and functions that look schemas up. */

/** A JSON schema, as FastAPI and pydantic write it. */
export interface Schema {
  $ref?: string;
  type?: string;
  description?: string;
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  items?: Schema;
  prefixItems?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  propertyNames?: Schema;
  default?: unknown;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
}

type Content = Record<string, { schema?: Schema } | undefined>;

export interface Operation {
  requestBody?: { content: Content };
  responses: Record<string, { content?: Content }>;
}

export interface OpenApi {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

const REFERENCE = "#/components/schemas/";

/** Return the name of the schema that a reference points to. Throws for any other reference. */
export function referencedName(reference: string): string {
  if (!reference.startsWith(REFERENCE)) throw new Error(`${reference} names no schema`);
  return reference.slice(REFERENCE.length);
}

/** Return the schema with that name. Throws if there is none. */
export function findSchema({ components }: OpenApi, name: string): Schema {
  const schema = components.schemas[name];
  if (!schema) throw new Error(`the document has no schema ${name}`);
  return schema;
}
