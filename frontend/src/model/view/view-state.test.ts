import { describe, expect, it } from "vitest";
import { CHOICES, FLAGS, NUMBERS, SECTIONS, TEXTS, WORDS } from "../../api/generated/view-query";
import { DEFAULT_VIEW, formatViewState, parseViewState, type ViewState } from "./view-state";
import { sourceKind, sourceName, parseSecondMapSource } from "./second-map-options";
import { parseRule, formatRule, type SelectionRule } from "./selection-rule";

describe("a rule in a link", () => {
  it("survives a round trip", () => {
    const rules: SelectionRule[] = [
      { by: "district", which: 7 },
      { by: "class", which: 0 },
      { by: "search", text: "a,b:<i>&" },
    ];
    for (const rule of rules) expect(parseRule(formatRule(rule))).toEqual(rule);
  });

  it("is null for unknown forms", () => {
    for (const word of [
      "",
      "district",
      "district:",
      "district:x",
      "search:",
      `search:${"x".repeat(101)}`,
    ]) {
      expect(parseRule(word)).toBeNull();
    }
  });
});

describe("the content of the second map", () => {
  it("is read from the address", () => {
    for (const word of [
      "step:0",
      "step:200",
      "view:umap",
      "view:linear",
      "matrix:out",
      "run:2026-11-24-a-3f9a",
    ]) {
      const read = parseSecondMapSource(word)!;
      expect(read).toBe(word);
      expect(`${sourceKind(read)}:${sourceName(read)}`).toBe(word);
    }
    expect(parseSecondMapSource("step:007")).toBe("step:7");
  });

  it("is null for anything else", () => {
    const others = [
      "",
      "step:",
      "step:-1",
      "step:1.5",
      "step:1e3",
      "step:1234567890",
      "view:tsne",
      "matrix:in",
      "matrix:",
    ];
    others.push(
      "view:",
      "run:",
      "run:../x",
      "run:A",
      "run:-a",
      `run:${"a".repeat(81)}`,
      "step:1 ",
      "x",
    );
    for (const word of others) expect(parseSecondMapSource(word), word).toBeNull();
  });
});

/** A view without defaults, and others for the fields that have several forms. */
const WHOLE: ViewState = {
  run: "2026 & <b>",
  token: 17,
  map: "linear",
  set: "again",
  look: { x: 0.25, y: 0.5, zoom: 3.2 },
  beside: "step:200",
  apart: true,
  colour: "since",
  panel: "export",
  section: "river",
  ask: "speak",
  asked: "0123456789abcdef",
  say: "the dog & <b>",
  times: 20,
  after: 100,
  into: "dog",
  source: "cat & <i>",
  other: 250,
  head: "2.3",
  second: "a dog",
  row: { token: "dog & <b>", coordinate: 17 },
  micro: { sequence: 0, position: 5 },
  claim: 9,
  lesson: "1.3",
  lab: "axis",
  of: "dog,a\\,b & <b>",
  to: "cat",
  folded: true,
  doubt: true,
  names: "own",
  district: 3,
  pair: 4,
  then: 100,
  rows: "class",
  against: 0,
  trails: "movers",
  links: "both",
  over: 500,
  legend: "folded",
  ring: "k12",
  tokens: [3, 17],
  gather: "search:a,b & <i>:",
  align: true,
  from: 812,
  at: 7,
  beat: 1,
  speed: 0.5,
};
const HOSTILE = ['<img src="x">', " a,b\\", "\u0000\r\n\t", "%2C:&=+#?", "\u202e\u0300", "ü🙂"];
const VIEWS: ViewState[] = [
  DEFAULT_VIEW,
  WHOLE,
  {
    ...WHOLE,
    token: "dog",
    pair: "hot, dog",
    tokens: ["a,b", "\\", "c\\,"],
    look: { district: 7 },
  },
  { ...WHOLE, tokens: [0, 5, "dog", "17"], token: "17" },
  ...["#17", "\\#", "a.5", "."].map((token) => ({
    ...DEFAULT_VIEW,
    row: { token, coordinate: 0 },
  })),
  { ...DEFAULT_VIEW, row: { token: 17, coordinate: 16_383 } },
  ...HOSTILE.map((text) => ({
    ...DEFAULT_VIEW,
    token: text,
    pair: text,
    say: text,
    row: { token: text, coordinate: 3 },
    tokens: [text, "x"],
  })),
];

describe("a view", () => {
  it("maps the experiments of the former panel for questions to those of the lab", () => {
    for (const [ask, panel] of [
      ["bench", "experiments"],
      ["substitution", "experiments"],
      ["what_if", "ask"],
      ["pray", "ask"],
    ]) {
      expect(parseViewState(`?panel=ask&ask=${ask}`).panel).toBe(panel);
    }
  });

  it("maps the former views of the geometry lab to the measures", () => {
    for (const lab of ["lengths", "order", "touches"]) {
      const { panel, lab: view } = parseViewState(`?panel=geometry&lab=${lab}`);
      expect([panel, view]).toEqual(["measures", null]);
    }
    expect(parseViewState("?panel=geometry&lab=axis").panel).toBe("geometry");
  });

  it("survives a round trip through its address, as does each field alone", () => {
    for (const view of VIEWS) {
      expect(parseViewState(formatViewState(view))).toEqual(view);
      for (const [name, value] of Object.entries(view)) {
        const change = { [name]: value };
        expect(parseViewState(formatViewState(change))).toEqual({ ...DEFAULT_VIEW, ...change });
      }
    }
    expect(formatViewState(DEFAULT_VIEW)).toBe("");
  });

  it("rejects unknown values", () => {
    for (const query of [
      "?map=skyline&height=norm",
      "?run=&token=-1&map=sphere&panel=__proto__&x=1",
      `?run=${"x".repeat(201)}`,
      "?pair=-4&then=x&rows=size&against=1.5",
      "?tokens=3,x&gather=planet:3&align=yes",
      "?token=1e9",
      "?trails=all&links=&legend=1&ring=__proto__&over=-5",
      "?from=-1&speed=0",
      "?from=1.5&speed=full",
      "?set=anew&beat=2&look=",
      `?word=&words=&with=${"x".repeat(101)}`,
      "?look=district:-1",
      `?ask=pray&say=%20`,
      "?asked=0123456789ABCDEF",
      "?asked=0123456789abcde",
      "?asked=0123456789abcdef0",
      "?asked=../../../../etc/",
      `?times=0&after=101&into=&source=${"x".repeat(201)}&other=-1&second=%20`,
      `?times=21&after=1e1&other=0.5&second=${"x".repeat(2_001)}`,
      `?say=${"x".repeat(2_001)}`,
      "?head=0.1",
      "?head=2",
      "?row=dog&micro=3",
      "?row=dog.&micro=1.2.3",
      "?row=.5&micro=-1.0",
      "?row=dog.-1&micro=1.x",
      "?row=%23dog.1&micro=01.2",
      `?row=${"x".repeat(101)}.1&micro=123456.1`,
      "?row=dog.017&panel=micro",
    ])
      expect(parseViewState(query), query).toEqual(DEFAULT_VIEW);
  });
});

describe("a view that a lesson sets", () => {
  const words = (table: Record<string, readonly string[]>) =>
    Object.entries(table).flatMap(([key, names]) => names.map((name) => `?${key}=${name}`));
  const queries = [
    ...words(CHOICES),
    ...Object.values(SECTIONS)
      .flat()
      .map((name) => `?section=${name}`),
    ...[...FLAGS, ...NUMBERS].map((key) => `?${key}=1`),
    ...[...WORDS, ...TEXTS].map((key) => `?${key}=dog`),
  ];

  it.each(queries)("is read from %s", (query) => {
    expect(formatViewState(parseViewState(query))).toBe(query);
  });
});
