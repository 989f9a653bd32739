import { describe, expect, it } from "vitest";
import { ApiError } from "../../api/failure";
import { CHOICES, FLAGS, NUMBERS, SECTIONS, TEXTS, WORDS } from "../../api/generated/view-query";
import {
  DEFAULT_VIEW,
  formatViewState,
  parseViewState,
  viewFromJson,
  viewToJson,
  type ViewState,
} from "./view-state";

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
      expect(viewFromJson({ version: 1, panel: "ask", ask }).panel).toBe(panel);
    }
  });

  it("maps the former views of the geometry lab to the measures", () => {
    for (const lab of ["lengths", "order", "touches"]) {
      const { panel, lab: view } = parseViewState(`?panel=geometry&lab=${lab}`);
      expect([panel, view]).toEqual(["measures", null]);
      const stored = { version: 1, panel: "geometry", lab };
      expect(viewFromJson(stored)).toEqual({ panel: "measures", lab: null });
    }
    expect(parseViewState("?panel=geometry&lab=axis").panel).toBe("geometry");
  });

  it("survives a round trip through its address", () => {
    for (const view of VIEWS) expect(parseViewState(formatViewState(view))).toEqual(view);
    expect(formatViewState(DEFAULT_VIEW)).toBe("");
  });

  it("survives a round trip through JSON, as does each field alone", () => {
    for (const view of VIEWS) {
      expect(viewFromJson(JSON.parse(JSON.stringify(viewToJson(view))))).toEqual(view);
      for (const [name, value] of Object.entries(view)) {
        const change = { [name]: value };
        expect(viewFromJson(viewToJson(change))).toEqual(change);
        expect(parseViewState(formatViewState(change))).toEqual({ ...DEFAULT_VIEW, ...change });
      }
    }
  });

  it("has the keys of its address in JSON", () => {
    const change = { token: "dog", tokens: [3, "a,b"], at: 40, folded: true, look: null } as const;
    expect(viewToJson(change)).toEqual({
      version: 1,
      token: null,
      word: "dog",
      tokens: "3",
      words: "a\\,b",
      at: 40,
      folded: true,
      look: null,
    });
  });

  it("accepts the same words from JSON as from an address", () => {
    for (const query of [
      "?word=&at=1.5&look=district:x",
      "?tokens=3,x&words=a,b&beat=2&align=yes",
    ]) {
      const json = { version: 1, ...Object.fromEntries(new URLSearchParams(query)) };
      expect({ ...DEFAULT_VIEW, ...viewFromJson(json) }).toEqual(parseViewState(query));
    }
    expect(viewFromJson({ version: 1, at: -3, map: {}, folded: "true", speed: NaN })).toEqual({
      at: null,
      map: null,
      folded: null,
      speed: null,
    });
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
      "?row=dog&micro=3",
      "?row=dog.&micro=1.2.3",
      "?row=.5&micro=-1.0",
      "?row=dog.-1&micro=1.x",
      "?row=%23dog.1&micro=01.2",
      `?row=${"x".repeat(101)}.1&micro=123456.1`,
      "?row=dog.017&panel=micro",
    ])
      expect(parseViewState(query), query).toEqual(DEFAULT_VIEW);
    expect(viewFromJson({ version: 1, x: 1, __proto__: { map: "linear" } })).toEqual({});
  });

  it("is refused if its version differs", () => {
    const codeOf = (json: unknown) => {
      try {
        return viewFromJson(json);
      } catch (error) {
        return error instanceof ApiError && error.failure.code;
      }
    };
    expect(codeOf({ version: 2, at: 4 })).toBe("newerView");
    for (const json of [null, "?at=4", [], {}, { at: 4 }, { version: "1" }, { version: 0 }])
      expect(codeOf(json)).toBe("noView");
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
