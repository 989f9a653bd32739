import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

// The built page lands where the Python package picks it up; `index.html` is served at `/`,
// what it needs at `/app/assets/`. While developing, everything that is not ours is asked of a
// running Lamplighter.
const server = process.env["LAMPLIGHTER"] ?? "http://127.0.0.1:8600";

/** Shaders travel without their comments and their indentation. */
const shaders = {
  name: "shaders",
  enforce: "pre" as const,
  transform: (code: string, id: string) =>
    id.endsWith("/shaders.ts") ? code.replace(/\s+\/\/.*$/gm, "").replace(/^\s+/gm, "") : null,
};

export default defineConfig(({ command }) => ({
  base: command === "build" ? "/app/" : "/",
  plugins: [shaders, svelte()],
  build: {
    outDir: "../static/app",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // Svelte's custom elements, of which the page has none, would stay in it for what they do when they are loaded.
    rolldownOptions: {
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
