import { svelte } from "@sveltejs/vite-plugin-svelte";
import { minify } from "terser";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

// The built page lands where the Python package picks it up; `index.html` is served at `/`,
// what it needs at `/app/assets/`. While developing, everything that is not ours is asked of a
// running Lamplighter.
const server = process.env["LAMPLIGHTER"] ?? "http://127.0.0.1:8600";

/** Shaders travel without comments, indentation, and blanks beside signs that need none. */
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

/** What Vite has made small, once more by terser: it gives the shortest names to what is named most. */
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

export default defineConfig(({ command }) => ({
  base: command === "build" ? "/app/" : "/",
  plugins: [shaders, svelte(), terser],
  worker: { plugins: () => [terser] },
  build: {
    outDir: "../static/app",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // Svelte's custom elements, of which the page has none, would stay in it for what they do when they are loaded.
    rolldownOptions: {
      checks: { pluginTimings: false },
      treeshake: { moduleSideEffects: [{ test: /custom-element\.js$/, sideEffects: false }] },
    },
  },
  server: {
    proxy: {
      "/api": { target: server, ws: true, changeOrigin: true },
      "/vendor": server,
      "/healthz": server,
    },
  },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
}));
