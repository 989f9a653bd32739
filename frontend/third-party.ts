import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin, Rolldown } from "vite";

// Whose code the built page carries is known only once it is built: the bundler leaves out what nothing uses, and
// adds functions of its own. So the notices are gathered from the very modules of which something is left.

/** Where the notices of all of them are, beside the page. */
const FILE = "THIRD-PARTY.txt";

const HEAD = `The page of Lamplighter carries code of the packages below, and comes with plotly.js.
Their licences ask that these notices go with them.
`;

interface Notice {
  /** Name, version and licence. */
  title: string;
  text: string;
}

/**
 * Make the plugins that write the notices of all packages in the page. Workers are bundled apart from it, and before
 * it is done, so `page` writes what `worker` found too.
 */
export function thirdParty(root: string): { page: Plugin; worker: Plugin } {
  const folders = new Set<string>();
  const gather = (bundle: Rolldown.OutputBundle) => {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== "chunk") continue;
      for (const [id, module] of Object.entries(chunk.modules)) {
        // A style sheet is gathered apart from the scripts, and brings its fonts: nothing of it is left here.
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
        const notices = [...folders].sort().map(readNotice);
        notices.push({
          title: "plotly.js (MIT)",
          text: readFileSync(join(root, "plotly-licence.txt"), "utf8"),
        });
        this.emitFile({ type: "asset", fileName: FILE, source: write(notices) });
      },
    },
  };
}

/** Return the folder of the package that a module belongs to; null for a module of ours. */
function packageFolder(root: string, id: string): string | null {
  const installed = /^\0?(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1];
  if (installed !== undefined) return installed;
  if (!id.startsWith("\0")) return null;
  // Modules without a file, which come from the tool itself.
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
  // Vite's file goes on with the licences of what Vite itself is made of, none of which is in the page.
  const [own = ""] = texts.join("\n").split(/^# Licenses of bundled dependencies$/m);
  const title = `${name} ${version} (${license})`;
  if (!license.startsWith("MPL")) return { title, text: own };
  // That licence asks to say where the source is.
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
