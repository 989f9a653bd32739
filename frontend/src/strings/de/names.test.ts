import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { translateName } from "./names";

const BACKEND = new URL("../../../../backend/lamplighter/", import.meta.url);

/** Return what a pattern's group finds in a file of the backend. */
const found = (file: string, pattern: RegExp) =>
  [...readFileSync(new URL(file, BACKEND), "utf-8").matchAll(pattern)].map(([, name = ""]) => name);

it("every name that Lamplighter gives is known", () => {
  const lexicon = "corpora/lexicon";
  const topics = readdirSync(new URL(lexicon, BACKEND)).filter((name) => name.endsWith(".txt"));
  const families = found(`${lexicon}/families.txt`, /^\[family ([^\]]+)\]/gm);
  const kinds = found(`${lexicon}/families.txt`, /^\w+: (.+)$/gm);
  const relations = topics.flatMap((name) => found(`${lexicon}/${name}`, /^\[relation (\w+) /gm));
  const operations = found("model/flops.py", /_(?:copy_rows|by_element|multiply)\(\s*"([^"]+)"/g);
  expect([
    families.length,
    kinds.length > 90,
    relations.length > 9,
    operations.length > 10,
  ]).toEqual([8, true, true, true]);
  const unknown = [...families, ...kinds, ...relations, ...operations].filter(
    (name) => translateName(name) === name && name !== "GELU",
  );
  expect(unknown).toEqual([]);
});

it("a part of the model and a second neighbourhood of a kind keep their number and word", () => {
  expect(translateName("block 2 attention")).toBe("Aufmerksamkeit 2");
  expect(translateName("block 2")).toBe("Block 2");
  expect(translateName("countries: norway")).toBe("Länder: norway");
});

it("a class of hidden states has its meaning and its layer in German", () => {
  expect(translateName("layer 2")).toBe("Schicht 2");
  expect(translateName("bank: countries · layer 1")).toBe("bank: Länder · Schicht 1");
  expect(translateName("bank · layer 0")).toBe("bank · Schicht 0");
});

it("any other name stays as it is", () => {
  for (const name of ["ran · walked", "my: own kind", "constructor"])
    expect(translateName(name)).toBe(name);
});
