/**
 * Prints the bytes of the scripts in some folders or files of `src/`, minified and compressed together,
 * without their imports from elsewhere:
 * `node measure-rooms.ts features/lessons`.
 */

import process from "node:process";
import { readdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { build, type Rolldown } from "vite";

const source = fileURLToPath(new URL("src/", import.meta.url));
const wanted = process.argv.slice(2).flatMap((name) => {
  const path = source + name;
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path).map((file) => `${path}/${file}`);
});
const entries = wanted.filter((path) => /\.(ts|svelte)$/.test(path) && !/\.test\.ts$/.test(path));
if (!entries.length) throw new Error("name folders or files below src/");

const built = (await build({
  configFile: false,
  root: fileURLToPath(new URL(".", import.meta.url)),
  logLevel: "silent",
  plugins: [svelte()],
  build: {
    write: false,
    target: "es2022",
    minify: true,
    lib: { entry: entries, formats: ["es"] },
    rolldownOptions: {
      // Each file is an entry; its imports count only if they are entries too.
      external: (_, importer) => Boolean(importer),
    },
  },
})) as Rolldown.RolldownOutput[];
const scripts = built
  .flatMap(({ output }) => output)
  .map((file) => (file.type === "chunk" ? file.code : ""));
process.stdout.write(`${gzipSync(scripts.join("\n"), { level: 9 }).length}\n`);
