import { describe, expect, it } from "vitest";
import { DEFAULT_VIEW, parseViewState, type ViewChange } from "../../model/view/view-state";
import { presentedQuery } from "./presented-view";

const NONE = { panel: null, folded: true } as const;

function presented(change: ViewChange, shared: Parameters<typeof presentedQuery>[1] = NONE) {
  return presentedQuery({ ...DEFAULT_VIEW, run: "town", ...change }, shared);
}

describe("the presenter's view", () => {
  it("is the query without its question mark, in printable characters only", () => {
    const query = presented({ token: "naïve dog", at: 12, panel: "step" })!;
    expect(query).toMatch(/^[!-~]+$/);
    expect(parseViewState(query)).toMatchObject({ run: "town", token: "naïve dog", at: 12 });
    expect(parseViewState(query).panel).toBe("step");
  });

  it("is null without a run", () => {
    expect(presented({ run: null })).toBeNull();
  });

  it("keeps private panels from the class", () => {
    const shared = { panel: "token", folded: null } as const;
    for (const panel of ["class", "runs", "export"] as const) {
      expect(parseViewState(presented({ panel }, shared)!).panel).toBe("token");
      expect(parseViewState(presented({ panel })!)).toMatchObject({ panel: null, folded: true });
    }
  });

  it("drops long fields to fit the limit, and no more than needed", () => {
    const many = Array.from({ length: 400 }, (_, i) => `word ${i}`);
    const view = parseViewState(presented({ tokens: many, say: "a dog", at: 3 })!);
    expect(view).toMatchObject({ tokens: null, say: "a dog", at: 3 });
    const longest = presented({ tokens: many, say: "ü".repeat(1_000), at: 3 })!;
    expect(longest.length).toBeLessThanOrEqual(2_000);
    expect(parseViewState(longest)).toMatchObject({ say: null, at: 3 });
  });
});
