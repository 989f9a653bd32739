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
  it("ask for the light of its range, as far as that has come", () => {
    expect(requests().light(70)[1]).toContain("steps?from=65&to=100&");
    expect(requests().light(3)[1]).toContain("steps?from=1&to=64&");
    // A step that is still to come is asked for all the same: the server says which there are.
    expect(requests().light(110)[1]).toContain("steps?from=65&to=110&");
  });

  it("name the attempt, so that browsers keep the answer, only where no other took steps", () => {
    expect(requests().light(70)[1]).toContain("&attempt=1");
    expect(requests(10, 2).light(70)[1]).not.toContain("attempt=");
    expect(requests().light(110)[1]).not.toContain("attempt=");
  });

  it("ask for the light under another key once it is renewed", () => {
    const made = requests();
    const [before] = made.light(70);
    expect(made.light(80)[0]).toBe(before);
    made.renewLight();
    expect(made.light(70)[0]).not.toBe(before);
  });

  it("ask for the maps of a range together, of a large vocabulary for one", () => {
    const [small] = requests().layouts(refs, 100, "umap");
    expect(small![1]).toContain("places?from=70&to=90&method=umap&set=again&");
    expect(small![2]).toBe(90);
    const [large] = requests(50_000).layouts(refs, 100, "umap");
    expect(large![1]).toContain("places?from=90&to=90&");
  });

  it("are those of a map and of districts only where there are some that old", () => {
    const kinds = (step: number) =>
      requests()
        .requestsOf(refs, step, "umap")
        .map(([key]) => key.split(" ")[0]);
    expect(kinds(85)).toEqual(["light", "layouts", "districts"]);
    expect(kinds(75)).toEqual(["light", "layouts"]);
    expect(requests().layouts({ ...refs, layouts: { umap: refsOf(60), linear: [] } }, 59, "umap")).toEqual([]); // prettier-ignore
  });
});
