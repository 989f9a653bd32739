/**
 * An ESLint rule for `{value}` in markup: the value must be text, a number, or empty. Svelte would show
 * anything else as "[object Object]" or "false", and svelte-check allows it.
 */

import { TypeFlags } from "typescript";

/**
 * The part of ESLint's context that the rule needs, with the types of typescript-eslint.
 *
 * @typedef {{
 *   program: import("typescript").Program,
 *   getTypeAtLocation: (node: unknown) => import("typescript").Type,
 * }} TypeServices
 * @typedef {{
 *   sourceCode: { parserServices: TypeServices },
 *   report: (problem: object) => void,
 * }} TypedContext
 */

const SHOWN =
  TypeFlags.StringLike |
  TypeFlags.NumberLike |
  TypeFlags.BigIntLike |
  TypeFlags.Null |
  TypeFlags.Undefined |
  TypeFlags.Void |
  TypeFlags.Never |
  // Imports from another component have no type here.
  TypeFlags.Any;

export default {
  meta: {
    type: "problem",
    schema: [],
    messages: { noText: "{{type}} is not text; a failure has its words from `failureText`." },
  },
  /** @param {TypedContext} context */
  create(context) {
    const services = context.sourceCode.parserServices;
    const checker = services.program.getTypeChecker();
    return {
      /** @param {import("svelte-eslint-parser").AST.SvelteMustacheTag} node */
      SvelteMustacheTag(node) {
        // An attribute may have a value of any type, unless text stands beside it.
        const alone = node.parent.type === "SvelteAttribute" && node.parent.value.length === 1;
        if (node.kind === "raw" || alone) return;
        const type = services.getTypeAtLocation(node.expression);
        if (isShown(checker, type)) return;
        context.report({ node, messageId: "noText", data: { type: checker.typeToString(type) } });
      },
    };
  },
};

/**
 * @param {import("typescript").TypeChecker} checker
 * @param {import("typescript").Type} type
 * @returns {boolean}
 */
function isShown(checker, type) {
  if (type.isUnion()) return type.types.every((one) => isShown(checker, one));
  if (type.isIntersection()) return type.types.some((one) => isShown(checker, one));
  return Boolean((checker.getBaseConstraintOfType(type) ?? type).flags & SHOWN);
}
