import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

// The same page as one script and one style sheet, with fonts and workers inside, for files that hold a run:
// a page opened from a file cannot load anything beside it. The packer puts both into the file.

export default defineConfig({
  base: "./",
  publicDir: false,
  plugins: [
    svelte(),
    {
      name: "workers inside",
      enforce: "pre",
      resolveId(source, importer) {
        if (!source.endsWith("/start-analysis")) return null;
        return this.resolve(`${source}.inside`, importer, { skipSelf: true });
      },
    },
  ],
  build: {
    outDir: "../static/app/packed",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: Number.MAX_SAFE_INTEGER,
    modulePreload: false,
    chunkSizeWarningLimit: 1_000,
    cssCodeSplit: false,
    rolldownOptions: {
      input: "src/packed-main.ts",
      // A script in a file has no URL, and nothing reads it.
      checks: { pluginTimings: false, emptyImportMeta: false },
      treeshake: { moduleSideEffects: [{ test: /custom-element\.js$/, sideEffects: false }] },
      output: {
        format: "iife",
        codeSplitting: false,
        entryFileNames: "page.js",
        assetFileNames: "page[extname]",
      },
    },
  },
});
