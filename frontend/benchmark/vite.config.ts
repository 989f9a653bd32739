import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

// The page of `python -m benchmarks city`, which passes the output folder.
export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "./",
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
});
