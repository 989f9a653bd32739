import { readdirSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import type { Rolldown } from "vite";
import { defineConfig } from "vitest/config";
import { thirdParty } from "./third-party.ts";

// The page is built into the folder that the Python package serves: `index.html` at `/`, its assets at
// `/app/assets/`, below any path that a proxy adds. The development server forwards all other requests to a
// running Lamplighter.
const server = process.env["LAMPLIGHTER"] ?? "http://127.0.0.1:8600";

const ROOT = fileURLToPath(new URL(".", import.meta.url));
const INDEX = join(ROOT, "index.html");
const notices = thirdParty(ROOT);

/**
 * Return a rule that puts all that the page cannot start without into one script, "first": the bundler would
 * part it by what each late part shares with it, which weighs 2 kB more.
 */
function firstScreen() {
  let first: Set<string> | undefined;
  return (id: string, modules: Rolldown.ChunkingContext) => {
    first ??= reached(INDEX, (each) => modules.getModuleInfo(each)?.importedIds ?? []);
    return first.has(id) ? "first" : null;
  };
}

function reached(start: string, next: (id: string) => readonly string[]): Set<string> {
  const found = new Set([start]);
  for (const id of found) for (const each of next(id)) found.add(each);
  return found;
}

/**
 * Return a function that gives each component a class for its styles: its number among all, in the order of their paths.
 * Components are compiled in any order, and must not be named in it: the same sources make the same page.
 */
function shortHash() {
  const files = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" });
  const components = files.filter((name) => name.endsWith(".svelte")).sort();
  const numbers = new Map(components.map((file, i) => [componentPath(join("src", file)), i]));
  return ({ filename }: { filename: string }) => {
    // Svelte's plugin tries this function out on a component that does not exist.
    const number = numbers.get(componentPath(filename)) ?? numbers.size;
    return `s-${number.toString(36)}`;
  };
}

/** Return the path of a component below the page's sources, with `/` on every system. */
function componentPath(file: string): string {
  return relative(ROOT, resolve(ROOT, file)).replaceAll("\\", "/");
}

/** Small late parts that weigh less in one script. */
const TOGETHER = [
  // What loads right after the first screen, or with a first click.
  {
    name: "soon",
    test: /\/((AskLine|SayingLine|StoryCards|PageMenu)\.svelte|(lie-to-tell|words-to-try|reload-with|palette)\.ts)$/,
  },
  {
    name: "shared",
    test: /\/((LegendBody|DistrictList|Lines)\.svelte|(ancestry|film-timing|caption|district-names|record-player|difference-view|word-ages|hidden-states|turning-points\.svelte|sampled\.svelte|lab-words|strings\/(de\/)?cards)\.ts)$/,
  },
];

export default defineConfig(({ command }) => ({
  base: command === "build" ? "/app/" : "/",
  experimental: {
    // No URL is absolute: URLs in the page are relative to its folder, all others to the file they are in.
    renderBuiltUrl: (file, { hostType }) =>
      hostType === "html" ? `app/${file}` : { relative: true },
  },
  plugins: [
    svelte({ compilerOptions: { cssHash: shortHash(), discloseVersion: false } }),
    notices.page,
  ],
  worker: { plugins: () => [notices.worker] },
  build: {
    outDir: "../static/app",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    // A late part needs little beside the first screen: a list of what to preload for it would weigh more than it
    // saves.
    modulePreload: false,
    // One style sheet, so that a part that loads later needs only its script.
    cssCodeSplit: false,
    // The page has no custom elements, but Svelte's code for them would stay because of its side effects on
    // loading.
    rolldownOptions: {
      checks: { pluginTimings: false },
      output: { codeSplitting: { groups: [{ name: firstScreen() }, ...TOGETHER] } },
      treeshake: { moduleSideEffects: [{ test: /custom-element\.js$/, sideEffects: false }] },
    },
  },
  server: {
    // The texts of codes are beside what raises them.
    fs: {
      allow: [".", "../backend/lamplighter/claims/texts", "../backend/lamplighter/contract/texts"],
    },
    proxy: {
      "/api": { target: server, ws: true, changeOrigin: true },
      "/static": server,
      "/vendor": server,
      "/healthz": server,
    },
  },
  test: {
    include: ["src/**/*.test.ts"],
    environment: "node",
    // Reloading the modules for each file would take most of the time.
    isolate: false,
    setupFiles: ["after-test-file.ts"],
  },
}));
