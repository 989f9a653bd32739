import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

// The built page lands where the Python package picks it up; `index.html` is served at `/`,
// what it needs at `/app/assets/`. While developing, everything that is not ours is asked of a
// running Lamplighter.
const server = process.env["LAMPLIGHTER"] ?? "http://127.0.0.1:8600";

export default defineConfig(({ command }) => ({
  base: command === "build" ? "/app/" : "/",
  plugins: [svelte()],
  build: {
    outDir: "../static/app",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
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
