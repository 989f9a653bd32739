/**
 * An ESLint rule: only stores assign to members of stores, which are declared in `src/state/` and in the
 * `.svelte.ts` files of the features. User actions go through a command (`state/commands/`), which the
 * history records, or through a method of a feature's store. A test may set a store up.
 *
 * It judges by types, in scripts and in markup: `store.x = 1`, `store.x++`, `delete store.x`, `[store.x] =
 * list`, `bind:value={store.x}`.
 */

const STORES = /\/src\/(state\/|features\/.*\.svelte\.ts$)/;
const TESTS = /\.test\.ts$/;

/** @typedef {import("estree").Node} Node */
/** @typedef {import("estree").MemberExpression} Member */
/** @typedef {{ getTypeAtLocation: (node: Node) => import("typescript").Type }} Services */

/**
 * Yield the member expressions that an assignment target writes to.
 *
 * @param {Node | null} target
 * @returns {Generator<Member>}
 */
function* membersIn(target) {
  switch (target?.type) {
    case "MemberExpression":
      yield target;
      break;
    case "ArrayPattern":
      for (const element of target.elements) yield* membersIn(element);
      break;
    case "ObjectPattern":
      for (const property of target.properties)
        yield* membersIn(property.type === "Property" ? property.value : property);
      break;
    case "AssignmentPattern":
      yield* membersIn(target.left);
      break;
    case "RestElement":
      yield* membersIn(target.argument);
  }
}

/** @type {import("eslint").Rule.RuleModule} */
export default {
  meta: {
    type: "problem",
    messages: {
      write: "Call a command or a method instead of assigning to `{{member}}` of a store.",
    },
    schema: [],
  },
  create(context) {
    if (STORES.test(context.filename) || TESTS.test(context.filename)) return {};
    /** @type {Services} */
    // eslint-disable-next-line @typescript-eslint/no-unsafe-assignment -- ESLint does not know its parser.
    const services = context.sourceCode.parserServices;

    /**
     * @param {import("typescript").Type} type
     * @returns {boolean}
     */
    function isStore(type) {
      if (type.isUnionOrIntersection()) return type.types.some(isStore);
      const declarations = type.getSymbol()?.declarations ?? [];
      return declarations.some((one) => STORES.test(one.getSourceFile().fileName));
    }

    /** @param {Node | null} target */
    function check(target) {
      for (const member of membersIn(target)) {
        if (!isStore(services.getTypeAtLocation(member.object))) continue;
        const name = context.sourceCode.getText(member.property);
        context.report({ node: member, messageId: "write", data: { member: name } });
      }
    }

    return {
      /** @param {{ left: Node }} node */
      "AssignmentExpression, ForOfStatement, ForInStatement": ({ left }) => check(left),
      /** @param {{ argument: Node }} node */
      "UpdateExpression, UnaryExpression[operator=delete]": ({ argument }) => check(argument),
      /** @param {{ expression: Node | null }} node */
      "SvelteDirective[kind=Binding]": ({ expression }) => check(expression),
    };
  },
};
