/** Everything that a person reads calls a thing by its one name: the table "On the page" of docs/glossary.md. */

import ts from "typescript";
import { describe, expect, it } from "vitest";
import glossary from "../../../docs/glossary.md?raw";

const TABLES = import.meta.glob<string>(
  [
    "./{,first-screen/}*.ts",
    "../features/**/*.strings.ts",
    "../app/*.strings.ts",
    "!./translation.ts",
    "!./*.test.ts",
  ],
  { query: "?raw", import: "default", eager: true },
);
const TEXTS = import.meta.glob<string>(
  [
    "../../../README.md",
    "../../../static/lessons/en/**/*.md",
    "../../../static/join.{html,js}",
    "../../../backend/lamplighter/claims/texts/en.json",
  ],
  { query: "?raw", import: "default", eager: true },
);

/** Return the names that the page does not use, each with the one to write instead. */
function bannedNames(): Map<RegExp, string> {
  const [, section = ""] = glossary.split("## On the page\n");
  const rows = section.split("\n").filter((line) => /^\| (?!thing|-)/.test(line));
  return new Map(
    rows.flatMap((row) => {
      const [, , name = "", others = ""] = row.split("|").map((cell) => cell.trim());
      return others
        .split(", ")
        .map((other) => [new RegExp(`\\b${other}s?\\b`, "iu"), name] as const);
    }),
  );
}

/** Return whether a literal is part of the code: a path, a type, a key, or what a value is compared with. */
function isCode(node: ts.Node): boolean {
  const { parent } = node;
  return (
    ts.isImportDeclaration(parent) ||
    ts.isExportDeclaration(parent) ||
    ts.isLiteralTypeNode(parent) ||
    ts.isCaseClause(parent) ||
    ts.isBinaryExpression(parent) ||
    ts.isElementAccessExpression(parent) ||
    (ts.isPropertyAssignment(parent) && parent.name === node) ||
    (ts.isCallExpression(parent) && parent.arguments.length > 1)
  );
}

/** Return the texts of a file of strings, in all branches of its functions. */
function textsOf(source: string): string[] {
  const texts: string[] = [];
  const visit = (node: ts.Node) => {
    const literal =
      ts.isStringLiteralLike(node) ||
      ts.isTemplateHead(node) ||
      ts.isTemplateMiddleOrTemplateTail(node);
    if (literal && !isCode(node)) texts.push(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile("strings.ts", source, ts.ScriptTarget.Latest, true));
  return texts;
}

describe("a thing on the page", () => {
  const banned = bannedNames();
  const wrong = (text: string) =>
    [...banned].flatMap(([other, name]) => {
      const found = other.exec(text);
      return found ? [`${found[0]}: write ${name}`] : [];
    });

  it("has one name in every text of the page", () => {
    const texts = Object.entries(TABLES).flatMap(([file, source]) =>
      textsOf(source).map((text) => [file, text] as const),
    );
    expect(texts.length).toBeGreaterThan(1_500);
    expect(
      texts.flatMap(([file, text]) => wrong(text).map((fault) => `${file}: ${fault}, in: ${text}`)),
    ).toEqual([]);
  });

  it("has the same name in the course, on the board and in the README", () => {
    // What is in a view or the name of a number is no text.
    const lines = Object.entries(TEXTS).flatMap(([file, text]) =>
      text
        .replace(
          /\{[^{}\n]*\}|\]\([^)]*\)|\[\?[^\]]*\]|`[^`]*`|\S+\.svg|^(view|words|number|examine|corpus):.*$/gm,
          "",
        )
        .split("\n")
        .map((line) => [file, line] as const),
    );
    expect(
      lines.flatMap(([file, line]) => wrong(line).map((fault) => `${file}: ${fault}, in: ${line}`)),
    ).toEqual([]);
  });

  it("is found by a name that is not its own", () => {
    expect(wrong("Each lamp is a word.")).toHaveLength(1);
    expect(wrong("Each light is a word.")).toEqual([]);
  });
});
