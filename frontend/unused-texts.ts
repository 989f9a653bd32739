/**
 * Finds the texts of the page's tables that no source uses, by types: `texts.key`, `texts[key]` with each value that
 * the type of `key` has, and all of a table that is passed on.
 */

import { join } from "node:path";
import { parse } from "svelte/compiler";
import ts from "typescript";

/** The end of the name of a module that has the code of a component; no import finds it. */
const MODULE = ".component.ts";
const STRINGS = /\bstrings\b/;
/** Other languages have the keys of the English tables, and a test is no use of a text. */
const NO_USE = /\.test\.ts$|\/strings\/de\/|\.strings\.de\.ts$/;

/** Return the unused texts of a folder's `src/`, as "table.key". `planted`: further sources, by path in the folder. */
export function findUnusedTexts(
  folder: string,
  planted: Readonly<Record<string, string>> = {},
): string[] {
  const program = programOf(folder, planted);
  const checker = program.getTypeChecker();
  const texts = new Map<ts.Node, string>();
  const used = new Set<ts.Node>();

  function isTable(type: ts.Type): boolean {
    const isObject = Boolean(type.flags & ts.TypeFlags.Object);
    return isObject && !type.getCallSignatures().length && !checker.isArrayLikeType(type);
  }

  function addTable(table: ts.Type, path: string) {
    for (const property of table.getProperties()) {
      const [declaration] = property.declarations ?? [];
      // A key that is in a type alone has no text of its own.
      if (!declaration || !ts.isObjectLiteralExpression(declaration.parent)) continue;
      texts.set(declaration, `${path}.${property.name}`);
      const text = checker.getTypeOfSymbol(property);
      if (isTable(text)) addTable(text, `${path}.${property.name}`);
    }
  }

  function addTables(node: ts.Node) {
    if (isTableCall(node)) {
      const [name] = node.arguments;
      // A variable with a type of its own may have keys of any name, which a server sends.
      const holder = ts.isVariableDeclaration(node.parent) ? node.parent : node;
      if (name && ts.isStringLiteral(name)) addTable(checker.getTypeAtLocation(holder), name.text);
    }
    ts.forEachChild(node, addTables);
  }

  function use(property: ts.Symbol | undefined) {
    for (const declaration of property?.declarations ?? []) used.add(declaration);
  }

  function useAll(type: ts.Type) {
    if (type.isUnion()) type.types.forEach(useAll);
    if (!isTable(type)) return;
    for (const property of type.getProperties()) {
      if (!property.declarations?.some((each) => texts.has(each))) continue;
      use(property);
      useAll(checker.getTypeOfSymbol(property));
    }
  }

  function useTexts(source: ts.SourceFile) {
    const holders = holdersIn(source);
    const visit = (node: ts.Node) => {
      // A type uses no text.
      if (ts.isTypeNode(node)) return;
      if (ts.isExpression(node) && holders.has(rootOf(node))) {
        if (ts.isPropertyAccessExpression(node)) use(checker.getSymbolAtLocation(node.name));
        else if (ts.isElementAccessExpression(node)) {
          const keys = keysOf(checker.getTypeAtLocation(node.argumentExpression));
          const table = checker.getTypeAtLocation(node.expression);
          for (const property of checker.getPropertiesOfType(table))
            if (!keys || keys.has(property.name)) use(property);
        }
        if (isPassedOn(node)) useAll(checker.getTypeAtLocation(node));
      } else if (ts.isBindingElement(node) && ts.isObjectBindingPattern(node.parent)) {
        const key = (node.propertyName ?? node.name).getText(source);
        const property = checker.getPropertyOfType(checker.getTypeAtLocation(node.parent), key);
        use(property);
        if (property) useAll(checker.getTypeOfSymbol(property));
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }

  const sources = program
    .getSourceFiles()
    .filter(({ fileName }) => !fileName.includes("/node_modules/"))
    .filter(({ fileName, text }) => STRINGS.test(fileName + text));
  sources.forEach(addTables);
  sources.filter(({ fileName }) => !NO_USE.test(fileName)).forEach(useTexts);
  return [...texts].flatMap(([declaration, path]) => (used.has(declaration) ? [] : [path]));
}

function isTableCall(node: ts.Node): node is ts.CallExpression {
  return (
    ts.isCallExpression(node) &&
    ts.isIdentifier(node.expression) &&
    node.expression.text === "table"
  );
}

/** Return the names of the variables of a source that hold a table, or anything else from a file of strings. */
function holdersIn(source: ts.SourceFile): Set<string> {
  const ofStrings = STRINGS.test(source.fileName);
  const holders = new Set<string>();
  const visit = (node: ts.Node) => {
    if (ts.isImportSpecifier(node)) {
      const module = node.parent.parent.parent.moduleSpecifier.getText(source);
      if (ofStrings || STRINGS.test(module)) holders.add(node.name.text);
    } else if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.initializer) {
      if (ofStrings || holders.has(rootOf(node.initializer))) holders.add(node.name.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return holders;
}

/** Return the name that a chain of keys begins with; nothing for any other expression. */
function rootOf(node: ts.Node): string {
  if (ts.isIdentifier(node)) return node.text;
  const goesOn =
    ts.isPropertyAccessExpression(node) ||
    ts.isElementAccessExpression(node) ||
    ts.isNonNullExpression(node) ||
    ts.isParenthesizedExpression(node);
  return goesOn ? rootOf(node.expression) : "";
}

/** Return whether a part of a chain of keys ends it, other than in a variable that holds it, and is a value. */
function isPassedOn(node: ts.Node): boolean {
  const { parent } = node;
  if (rootOf(parent)) return false;
  if ((parent as { name?: ts.Node }).name === node) return false;
  if (ts.isVariableDeclaration(parent)) return Boolean(parent.type) || hasRest(parent.name);
  // The first screen's table consists of others.
  if (ts.isSpreadAssignment(parent) || ts.isShorthandPropertyAssignment(parent))
    return !STRINGS.test(node.getSourceFile().fileName);
  return !ts.isImportSpecifier(parent) && !ts.isExportSpecifier(parent);
}

function hasRest(name: ts.BindingName): boolean {
  if (ts.isIdentifier(name)) return false;
  return name.elements.some((each) => ts.isBindingElement(each) && Boolean(each.dotDotDotToken));
}

/** Return the names that a key may be, or null if it may be any. */
function keysOf(key: ts.Type): Set<string> | null {
  const types = key.isUnion() ? key.types : [key];
  const names = types.flatMap((type) =>
    type.isStringLiteral() || type.isNumberLiteral() ? [String(type.value)] : [],
  );
  return names.length === types.length ? new Set(names) : null;
}

function programOf(folder: string, planted: Readonly<Record<string, string>>): ts.Program {
  const read = (path: string) => ts.sys.readFile(path);
  const config: unknown = ts.readConfigFile(join(folder, "tsconfig.json"), read).config;
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, folder);
  const modules = new Map<string, string>();
  const roots = ts.sys.readDirectory(join(folder, "src"), [".ts"], ["**/*.test.ts"]);
  const addSource = (path: string, source: string) => {
    if (!path.endsWith(".svelte")) modules.set(path, source);
    else if (STRINGS.test(source)) modules.set(path + MODULE, codeOf(source));
  };
  for (const path of ts.sys.readDirectory(join(folder, "src"), [".svelte"]))
    addSource(path, read(path) ?? "");
  for (const [path, source] of Object.entries(planted)) addSource(join(folder, path), source);
  const host = ts.createCompilerHost(options);
  host.fileExists = (path) => modules.has(path) || ts.sys.fileExists(path);
  host.readFile = (path) => modules.get(path) ?? read(path);
  return ts.createProgram([...roots, ...modules.keys()], options, host);
}

/** A node of a component's markup: what it has depends on its type. */
interface Markup {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [part: string]: unknown;
}

/** Return a component's scripts, and its markup as statements in the same scopes. */
function codeOf(component: string): string {
  const { module, instance, fragment } = parse(component, { modern: true });
  const written = (node: unknown) => {
    const { start, end, typeAnnotation } = node as Markup;
    const typed = typeAnnotation as Markup | undefined;
    return component.slice(start, Math.max(end, typed?.end ?? 0));
  };
  const code = (part: unknown): string => {
    if (Array.isArray(part)) return part.map(code).join("\n");
    if (typeof part !== "object" || part === null || !("type" in part)) return "";
    const node = part as Markup;
    switch (node.type) {
      case "Fragment":
        return `{${code(node["nodes"])}}`;
      case "IfBlock":
        return `if (${written(node["test"])}) ${code(node["consequent"])} else {${code(node["alternate"])}}`;
      case "EachBlock": {
        const each = node["context"] ? written(node["context"]) : "_";
        const index = typeof node["index"] === "string" ? node["index"] : "_index";
        const key = node["key"] ? `(${written(node["key"])});` : "";
        return `for (const ${each} of Array.from(${written(node["expression"])})) {
          let ${index} = 0; ${key} ${code(node["body"])}
        } {${code(node["fallback"])}}`;
      }
      case "SnippetBlock": {
        const parameters = (node["parameters"] as unknown[]).map(written);
        return `function ${written(node["expression"])}(${parameters.join()}) ${code(node["body"])}`;
      }
      case "ConstTag":
        return `${written(node["declaration"])};`;
      default: {
        const { expression, attributes, value } = node;
        const own = expression ? `(${written(expression)});` : "";
        return own + code(attributes) + code(value) + code(node["fragment"]);
      }
    }
  };
  const scripts = [module, instance].map((script) => (script ? written(script.content) : ""));
  return `${scripts.join("\n")}\nfunction markup() ${code(fragment)}`;
}
