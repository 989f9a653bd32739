import { describe, expect, it } from "vitest";
import { EMPTY_VIEW, parseViewState, formatViewState, type ViewState } from "./view-state";

describe("the view state in the URL", () => {
  it("comes back as it went", () => {
    const there: ViewState = {
      run: "2026 & <b>",
      token: 17,
      map: "linear",
      height: "norm",
      beside: "step:200",
      apart: true,
      colour: "since",
      panel: "export",
      folded: true,
      doubt: true,
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
      speed: 0.5,
    };
    expect(parseViewState(formatViewState(there))).toEqual(there);
    expect(formatViewState(EMPTY_VIEW)).toBe("");
    expect(parseViewState("")).toEqual(EMPTY_VIEW);
  });

  it("takes nothing it does not know", () => {
    expect(parseViewState("?run=&token=-1&map=sphere&panel=__proto__&x=1")).toEqual(EMPTY_VIEW);
    expect(parseViewState("?pair=-4&then=x&rows=size&against=1.5")).toEqual(EMPTY_VIEW);
    expect(parseViewState("?tokens=3,x&gather=planet:3&align=yes")).toEqual(EMPTY_VIEW);
    expect(parseViewState("?token=1e9")).toEqual(EMPTY_VIEW);
    expect(parseViewState("?trails=all&links=&legend=1&ring=__proto__&over=-5")).toEqual(
      EMPTY_VIEW,
    );
    expect(parseViewState("?from=-1&speed=0")).toEqual(EMPTY_VIEW);
    expect(parseViewState("?from=1.5&speed=full")).toEqual(EMPTY_VIEW);
  });
});
