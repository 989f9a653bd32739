import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { LANGUAGES } from "../model/language";
import { translation as german } from "./german";
import { count, setNumberLanguage, small } from "../strings/numbers";
import { install } from "../strings/translation";
import { findUnusedTexts } from "../../unused-texts";

// The texts of the first screen are in the table `t`.
const FILES = import.meta.glob<Record<string, unknown>>(
  [
    "../strings/*.ts",
    "./*.strings.ts",
    "../features/**/*.strings.ts",
    "!../strings/*.test.ts",
    "!../strings/translation.ts",
  ],
  { eager: true },
);

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** A table that a component uses but for two of its texts. */
const PLANTED = {
  "src/planted.strings.ts": `import { table } from "./strings/translation";
    export const planted = table("planted", {
      named: "", forgotten: "", chosen: { one: "", other: "", never: "" }, passed: { on: "" },
    } as const);`,
  "src/Planted.svelte": `<script lang="ts">
      import { planted as w } from "./planted.strings";
      let { kind, kinds }: { kind: "one" | "two"; kinds: "other"[] } = $props();
      const own = w.chosen;
    </script>
    {#if kind === "one"}<p title={w.named}>{own[kind]}</p>{/if}
    {#each kinds as each}{w.chosen[each]}{/each}
    {Object.values(w.passed)}`,
};
/** Texts that are the same in both languages. */
const SAME = new Set(
  `Adam Code CSV Embedding Lamplighter Lamptown Linear Live live Matrix minus npy parameters Parquet PCA plus
  safetensors Pause SGD Training UMAP`.split(/\s+/),
);
/** Texts of only numbers and symbols, with names and units. */
const SIGNS =
  /^([^a-zA-Z]|\b(FLOPs?|ms|kB|min|h|s|W|J|ND|umap|NN|4k|dog|the|lamplighter|classroom|[mv])\b)*$/;

/** Arguments for the functions that take more than numbers or words. */
const SAMPLES: [path: RegExp, ...values: unknown[]][] = [
  [
    /announcements\.progress/,
    {
      facts: { connected: true, loss: 2, step: 5, lit: 3, all: 9, districts: [] },
      trend: { direction: "down", change: 0.5, since: 2 },
      stateChanged: true,
      events: [],
      moreEvents: 2,
    },
    "…",
    String,
  ],
  [/districtChanges/, { name: "dog", other: "cat", words: 9 }],
  [/announcements\.map/, 9, "UMAP", 5, [{ name: "dog", size: 3 }]],
  [/acquisition\.effect/, "…", true, [2, 1, 3]],
  [/(announcements|whatIf)\.line/, "dog", [1, 2], [3, 4], 2, 4],
  [/deciles\.line/, "dog", [1, 2], [3, 4]],
  [/deciles\.range/, { least: 2, most: 5 }],
  [/deciles\.ends/, { sgd: 2, adam: 1 }, { sgd: 4, adam: 3 }],
  [/probe\.compared/, { step: 5, share: 0.5 }, 3],
  [/probe\.wasMore|\.running$|help\.key|\.problem$/, "…"],
  [
    /bench\.speed/,
    [
      { name: "lazy", step_ms: 9, update_ms: 1 },
      { name: "adam", step_ms: 9, update_ms: 2 },
    ],
  ],
  [
    /bench\.(largeMore|softmax)/,
    {
      rows: 9,
      width: 8,
      touched: 3,
      touched_ms: 1,
      whole_ms: 2,
      batch_tokens: 5,
      softmax_flops: 9,
      whole_flops: 3,
    },
  ],
  [/environment\.words/, { permuted: 3, words: 9 }],
  [/ask\.named/, { into: "dog", other: 5 }],
  [/ask\.askedWith/, { kind: "bench", steps: 5 }, {}],
  [/browserSessions\.o/, { browser: "Firefox", created: 0, last_used: 60 }],
  [/claims\.lamp/, { number: 3, name: "…", state: "holds" }],
  [
    /inWords/,
    {
      about: "lit_word",
      text: "“dog”",
      choices: ["Yes", "No"],
      unit: "",
      from_step: 1,
      at_step: 2,
    },
  ],
  [/failures\.other/, "…"],
  [/classroom\.otherAddresses/, ["a", "b"]],
  [/cost\.method/, { method: "nvml", watts_assumed: 5 }, 60],
  [/cost\.half/, 5, [1, 2, 3]],
  [/cost\.byFormula/, [1, null], [2, null]],
  [/cost\.shared/, [1, 2], [3, 4], 5],
  [/cost\.process/, { offset: 20, rows: 20, columns: [4, 4] }, 1],
  [/cost\.worked/, { worked: 0.2, waited: 0.1, slowest: 9 }, 20],
  [/cost\.rowName/, { kind: "run" }],
  [/lessons\.(otherWords|skipped)|runPanel\.leftOut/, ["…"], "…"],
  [/legend(Body)?\.(about|ends|band)/, "since", 2, 5],
  [/valueText/, "moved", 2, { from: 1, to: 5 }],
  [/runPanel\.model/, { layers: 2, heads: 4, dim: 64, context: 32, tied: true }],
  [
    /ownText\.(words|suits|tooShort)/,
    { words: 9, different: 5, exact: true, vocabulary: 5, steps: 9 },
  ],
  [/written\.kept/, [9, 5]],
  [/story\.line/, { name: "lights", step: 5, recorded: false }, "…", false],
  [/story\.title/, { phase: "finished", step: 5, read: 9 }, false],
  [/story\.learned/, { phase: "finished", kindred: null, surprise: null, districts: 3 }],
  [/stepInWords/, 5, 2, 3, 9, { loss: 3, step: 4 }],
];

/** Return a text of a table; a function is called with sample values. */
function said(path: string, text: unknown): string {
  if (typeof text !== "function") return String(text);
  const [, ...values] = SAMPLES.find(([of]) => of.test(path)) ?? [path];
  const given = values.length ? values : Array<unknown>(text.length).fill(3);
  const result: unknown = (text as (...values: unknown[]) => unknown)(...given);
  return typeof result === "string" ? result : JSON.stringify(result);
}

function leaves(value: unknown, path: string): [path: string, text: string][] {
  if (typeof value !== "object" || value === null) return [[path, said(path, value)]];
  return Object.entries(value).flatMap(([key, each]) => leaves(each, `${path}.${key}`));
}

/** Return every text of every table in the installed language, by path. */
function allTexts(): Map<string, string> {
  const tables = Object.entries(FILES).flatMap(([file, names]) =>
    Object.entries(names)
      .filter(([, value]) => typeof value === "object" && !Array.isArray(value))
      .map(([name, value]) => [`${file} ${name}`, value] as const),
  );
  return new Map(tables.flatMap(([name, value]) => leaves(value, name)));
}

describe("a text of the page", () => {
  it("is used by a source", { timeout: 60_000 }, () => {
    expect(findUnusedTexts(ROOT, PLANTED)).toEqual(["planted.forgotten", "planted.chosen.never"]);
  });
});

describe("the page in German", () => {
  const english = allTexts();
  let texts: Map<string, string>;

  beforeAll(() => {
    install(german);
    texts = allTexts();
  });
  // The tables stay German until the modules are loaded again, and other test files share them.
  afterAll(() => {
    setNumberLanguage("en");
    vi.resetModules();
  });

  it("has every text of every file, and none in English", () => {
    expect(english.size).toBeGreaterThan(1_000);
    // In English the server's own sentence stands for most reasons.
    const added = /failures\.ts reasons\./;
    expect([...texts.keys()].filter((path) => english.has(path) || !added.test(path))).toEqual([
      ...english.keys(),
    ]);
    const forgotten = [...texts].filter(
      ([path, text]) => text === english.get(path) && !SAME.has(text) && !SIGNS.test(text),
    );
    expect(forgotten).toEqual([]);
  });

  it("has no empty text", () => {
    const broken = [...texts].filter(([, text]) => /undefined|NaN|\[object/.test(text));
    expect(broken).toEqual([]);
  });

  it("formats numbers as German does", () => {
    expect([count(12_345), small(0.105)]).toEqual(["12.345", "0,105"]);
  });

  it("is one of the languages on offer", () => {
    expect(Object.keys(LANGUAGES)).toContain(german.language);
  });
});
