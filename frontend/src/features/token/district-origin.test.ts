import { describe, expect, it } from "vitest";
import { findOrigin } from "./district-origin.svelte";

/** Return districts kept at every tenth step; district 7 formed at 350, and had another name until 800. */
function districtsAt(asked: number[]) {
  return (step: number) => {
    asked.push(step);
    const kept = step - (step % 10);
    const name = kept < 800 ? "capitals" : "france · paris";
    const items = kept < 350 ? [] : [{ id: 7, name, token_ids: [] }];
    return Promise.resolve(kept < 100 ? null : { step: kept, items });
  };
}

describe("the origin of a district", () => {
  it("is the first step that has it, with the names since then, found in few requests", async () => {
    const asked: number[] = [];
    const origin = await findOrigin(7, 5_000, districtsAt(asked));
    expect(origin.step).toBe(350);
    expect(origin.names).toEqual(["capitals", "france · paris"]);
    expect(asked.length).toBeLessThan(15);
  });
});
