import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin, Rolldown } from "vite";

// The packages in the page are known only after the build: the bundler removes unused code and adds helpers
// of its own. So the notices are collected from the modules that remain.

/** File with all notices, beside the page. */
const FILE = "THIRD-PARTY.txt";

/** plotly.js with the traces of its basic bundle: a script of its own, which the page loads late. */
const PLOTLY = { package: "plotly.js-basic-dist-min", file: "plotly-basic.min.js" };
/** Its name beside the page; `web/http/assets.py` has it too. */
const PLOTLY_BESIDE = "vendor/plotly.min.js";

const HEAD = `The page of Lamplighter carries code of the packages below.
Their licences ask that these notices go with them.
`;

interface Notice {
  /** Name, version and licence. */
  title: string;
  text: string;
}

/**
 * Return the plugins that write the notices of all packages in the page, and plotly.js beside it. Workers are
 * bundled separately and first, so `page` also writes what `worker` found.
 */
export function thirdParty(root: string): { page: Plugin; worker: Plugin } {
  const folders = new Set<string>();
  const gather = (bundle: Rolldown.OutputBundle) => {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== "chunk") continue;
      for (const [id, module] of Object.entries(chunk.modules)) {
        // A style sheet is collected apart from the scripts and brings its fonts, so its rendered length is 0
        // here.
        const used = module.renderedLength > 0 || id.endsWith(".css");
        const folder = used ? packageFolder(root, id) : null;
        if (folder !== null) folders.add(folder);
      }
    }
  };
  return {
    worker: { name: "third-party-worker", generateBundle: (_, bundle) => gather(bundle) },
    page: {
      name: "third-party",
      generateBundle(_, bundle) {
        gather(bundle);
        const plotly = join(root, "node_modules", PLOTLY.package);
        const script = readFileSync(join(plotly, PLOTLY.file), "utf8");
        this.emitFile({ type: "asset", fileName: PLOTLY_BESIDE, source: script });
        // By name: where packages are installed must not change the page's bytes.
        const notices = [...folders.add(plotly)].map(readNotice);
        notices.sort((a, b) => (a.title < b.title ? -1 : 1));
        this.emitFile({ type: "asset", fileName: FILE, source: write(notices) });
      },
    },
  };
}

/** Return the folder of the package that a module belongs to; null for our own modules. */
function packageFolder(root: string, id: string): string | null {
  const installed = /^\0?(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1];
  if (installed !== undefined) return installed;
  if (!id.startsWith("\0")) return null;
  // Modules without a file come from the build tool.
  const tool = /^\0(vite|rolldown)\//.exec(id)?.[1];
  if (tool === undefined) throw new Error(`whose is ${JSON.stringify(id)}? ${FILE} must say`);
  return join(root, "node_modules", tool);
}

function readNotice(folder: string): Notice {
  const { name, version, license, repository } = JSON.parse(
    readFileSync(join(folder, "package.json"), "utf8"),
  ) as { name: string; version: string; license: string; repository?: { url: string } };
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)\b/i.test(file));
  if (files.length === 0) throw new Error(`${name} has no licence file for ${FILE} to quote`);
  const texts = files.sort().map((file) => readFileSync(join(folder, file), "utf8"));
  // After its own licence, Vite's file lists the licences of its bundled dependencies, none of which are in
  // the page.
  const [own = ""] = texts.join("\n").split(/^# Licenses of bundled dependencies$/m);
  const title = `${name} ${version} (${license})`;
  if (!license.startsWith("MPL")) return { title, text: own };
  // This licence requires a pointer to the source.
  const source = repository?.url.replace(/^git\+|\.git$/g, "");
  if (!source) throw new Error(`${name} does not say where its source is, which ${FILE} must`);
  return { title, text: `Its source code, which is not changed here: ${source}\n\n${own.trim()}` };
}

function write(notices: Notice[]): string {
  const rule = "-".repeat(80);
  return [HEAD, ...notices.map(({ title, text }) => `${rule}\n${title}\n\n${text.trim()}\n`)].join(
    "\n",
  );
}
