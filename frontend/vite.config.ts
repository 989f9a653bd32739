import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { minify } from "terser";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";
import { thirdParty } from "./third-party.ts";

// The page is built into the folder that the Python package serves: `index.html` at `/`, its assets at
// `/app/assets/`. The development server forwards all other requests to a running Lamplighter.
const server = process.env["LAMPLIGHTER"] ?? "http://127.0.0.1:8600";

/** A plugin that strips comments, indentation, and blanks beside signs that need none from shaders. */
const shaders = {
  name: "shaders",
  enforce: "pre" as const,
  transform: (code: string, id: string) =>
    id.endsWith("/shaders.ts")
      ? code
          .replace(/\s+\/\/.*$/gm, "")
          .replace(/^\s+/gm, "")
          .replace(/ ?([=*/+<>,(){};]) ?/g, "$1")
      : null,
};

/** A second minification, by terser, which gives the most frequent names the shortest forms. */
const terser: Plugin = {
  name: "terser",
  async generateBundle(_, bundle) {
    for (const script of Object.values(bundle)) {
      if (script.type !== "chunk") continue;
      const { code } = await minify(script.code, {
        module: true,
        ecma: 2020,
        compress: { passes: 4, keep_fargs: false, hoist_funs: true },
      });
      script.code = code ?? script.code;
    }
  },
};

const notices = thirdParty(fileURLToPath(new URL(".", import.meta.url)));

export default defineConfig(({ command }) => ({
  base: command === "build" ? "/app/" : "/",
  plugins: [shaders, svelte(), terser, notices.page],
  worker: { plugins: () => [terser, notices.worker] },
  build: {
    outDir: "../static/app",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The page has no custom elements, but Svelte's code for them would stay in it because of its effects on loading.
    rolldownOptions: {
      checks: { pluginTimings: false },
      treeshake: { moduleSideEffects: [{ test: /custom-element\.js$/, sideEffects: false }] },
    },
  },
  server: {
    proxy: {
      "/api": { target: server, ws: true, changeOrigin: true },
      "/static": server,
      "/vendor": server,
      "/healthz": server,
    },
  },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
}));
