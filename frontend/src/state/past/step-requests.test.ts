import { beforeEach, describe, expect, it, vi } from "vitest";
import type { MapRefs } from "./map-index";
import { StepRequests } from "./step-requests";

beforeEach(() => {
  vi.stubGlobal("location", { pathname: "/", origin: "http://here" });
  return () => vi.unstubAllGlobals();
});

const refsOf = (...steps: number[]) => steps.map((step) => ({ attempt: 2, step }));

const refs: MapRefs = {
  layouts: { umap: refsOf(60, 70, 90, 140), linear: refsOf(0) },
  districts: refsOf(80),
  set: "&set=again",
};

function requests(vocabulary = 10, attempt = 1) {
  return new StepRequests("town", vocabulary, () => ({ attempt, step: 100 }));
}

describe("the requests of a step", () => {
  it("cover the light of its range, as far as training has come", () => {
    expect(requests().light(70)[1]).toContain("steps?from=65&to=100&");
    expect(requests().light(3)[1]).toContain("steps?from=1&to=64&");
    // A future step is requested all the same: the server's error says which ones exist.
    expect(requests().light(110)[1]).toContain("steps?from=65&to=110&");
  });

  it("name the attempt, so that browsers cache the response, only if no other attempt took steps", () => {
    expect(requests().light(70)[1]).toContain("&attempt=1");
    expect(requests(10, 2).light(70)[1]).not.toContain("attempt=");
    expect(requests().light(110)[1]).not.toContain("attempt=");
  });

  it("request the light under another key once it is renewed", () => {
    const made = requests();
    const [before] = made.light(70);
    expect(made.light(80)[0]).toBe(before);
    made.renewLight();
    expect(made.light(70)[0]).not.toBe(before);
  });

  it("combine the maps of a range, but not for a large vocabulary", () => {
    const [small] = requests().layouts(refs, 100, "umap");
    expect(small![1]).toContain("places?from=70&to=90&method=umap&set=again&");
    expect(small![2]).toBe(90);
    const [large] = requests(50_000).layouts(refs, 100, "umap");
    expect(large![1]).toContain("places?from=90&to=90&");
  });

  it("include a map and districts only if there are any by then", () => {
    const kinds = (step: number) =>
      requests()
        .requestsOf(refs, step, "umap")
        .map(([key]) => key.split(" ")[0]);
    expect(kinds(85)).toEqual(["light", "layouts", "districts"]);
    expect(kinds(75)).toEqual(["light", "layouts"]);
    expect(requests().layouts({ ...refs, layouts: { umap: refsOf(60), linear: [] } }, 59, "umap")).toEqual([]); // prettier-ignore
  });
});
