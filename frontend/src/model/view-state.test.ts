import { describe, expect, it } from "vitest";
import { NOWHERE, readAddress, writeAddress, type Address } from "./view-state";

describe("address", () => {
  it("comes back as it went", () => {
    const there: Address = {
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
    expect(readAddress(writeAddress(there))).toEqual(there);
    expect(writeAddress(NOWHERE)).toBe("");
    expect(readAddress("")).toEqual(NOWHERE);
  });

  it("takes nothing it does not know", () => {
    expect(readAddress("?run=&token=-1&map=sphere&panel=__proto__&x=1")).toEqual(NOWHERE);
    expect(readAddress("?pair=-4&then=x&rows=size&against=1.5")).toEqual(NOWHERE);
    expect(readAddress("?tokens=3,x&gather=planet:3&align=yes")).toEqual(NOWHERE);
    expect(readAddress("?token=1e9")).toEqual(NOWHERE);
    expect(readAddress("?trails=all&links=&legend=1&ring=__proto__&over=-5")).toEqual(NOWHERE);
    expect(readAddress("?from=-1&speed=0")).toEqual(NOWHERE);
    expect(readAddress("?from=1.5&speed=full")).toEqual(NOWHERE);
  });
});
