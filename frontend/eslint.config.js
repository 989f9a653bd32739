/** ESLint rules: the strict type-checked set of typescript-eslint, and the recommended set for Svelte. */

import js from "@eslint/js";
import { defineConfig } from "eslint/config";
import svelte from "eslint-plugin-svelte";
import globals from "globals";
import ts from "typescript-eslint";
import { FEATURE_ARROWS, LAYERS } from "./layers.js";
import noStoreWrites from "./no-store-writes.js";
import svelteConfig from "./svelte.config.js";
import textInMarkup from "./text-in-markup.js";

/**
 * Restrict the type imports of components to the layers below, because dependency-cruiser does not see them.
 */
const layers = Object.entries(LAYERS).map(([room, below]) => ({
  files: [`src/${room}/**/*.svelte`],
  rules: {
    "@typescript-eslint/no-restricted-imports": [
      "error",
      {
        patterns: [
          {
            regex: `^(\\.\\./)+(?!(${[room, ...below].join("|")})(/|$))(app|${Object.keys(LAYERS).join("|")})(/|$)`,
            message: `${room} knows only what is below it (layers.js).`,
          },
        ],
      },
    ],
  },
}));

/**
 * Restrict the type imports of components to their own feature and those it may use, in its folder and one
 * below.
 */
const ownFeature = Object.entries({ "*": [], ...FEATURE_ARROWS }).flatMap(([feature, others]) =>
  [1, 2].map((depth) => ({
    files: [`src/features/${feature}/${depth === 1 ? "" : "*/"}*.svelte`],
    rules: {
      "@typescript-eslint/no-restricted-imports": [
        "error",
        {
          patterns: [
            {
              regex: `^(\\.\\./){${depth}}(?!(${["\\.\\.", ...others].join("|")})(/|$))`,
              message: "A feature knows no other feature (layers.js).",
            },
            { regex: "^(\\.\\./)+app/", message: "app is above the features (layers.js)." },
          ],
        },
      ],
    },
  })),
);

export default defineConfig(
  { ignores: ["node_modules/", "public/", "src/api/generated/"] },
  js.configs.recommended,
  ts.configs.strictTypeChecked,
  svelte.configs.recommended,
  {
    languageOptions: {
      globals: globals.browser,
      parserOptions: {
        projectService: { allowDefaultProject: ["*.js", ".*.mjs"] },
        tsconfigRootDir: import.meta.dirname,
        extraFileExtensions: [".svelte"],
      },
    },
    rules: {
      // Under `noUncheckedIndexedAccess` every array element may be undefined; `!` says that it is not.
      "@typescript-eslint/no-non-null-assertion": "off",
      // Numbers are fine in template strings.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // Listeners are written `() => call()`; their return value is ignored.
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      // `void value` in an effect marks a value that the effect depends on.
      "@typescript-eslint/no-meaningless-void-operator": "off",
      // Sets and maps here are replaced whole, so plain ones suffice in reactive state.
      "svelte/prefer-svelte-reactivity": "off",
      // `{" "}` keeps a space where the markup breaks a line.
      "svelte/no-useless-mustaches": "off",
    },
  },
  {
    files: ["**/*.svelte", "**/*.svelte.ts"],
    languageOptions: { parserOptions: { parser: ts.parser, svelteConfig } },
  },
  {
    files: ["**/*.svelte"],
    plugins: { page: { rules: { "text-in-markup": textInMarkup } } },
    rules: {
      "page/text-in-markup": "error",
      "max-lines": ["error", 400],
      // Imports from another component have no type here; svelte-check checks their use.
      "@typescript-eslint/no-redundant-type-constituents": "off",
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-call": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/no-unsafe-return": "off",
    },
  },
  layers,
  ownFeature,
  {
    files: ["src/**/*.ts", "src/**/*.svelte"],
    plugins: { state: { rules: { "no-store-writes": noStoreWrites } } },
    rules: { "state/no-store-writes": "error" },
  },
);
