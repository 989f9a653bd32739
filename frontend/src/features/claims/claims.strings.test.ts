import { expect, it } from "vitest";
import { claimInterval, claimValue, explainedWords } from "./claims.strings";

it("values of claims are readable", () => {
  expect(claimValue(0.98424, "share")).toBe("98.4 %");
  expect(claimValue(0.99958, "share")).toBe("99.96 %");
  expect(claimValue(1, "share")).toBe("100 %");
  expect(claimValue(0, "share")).toBe("0 %");
  expect(claimValue(5000, "")).toBe("5,000");
  expect(claimValue(818_490_944, "FLOP")).toBe("818,490,944 FLOP");
  expect(claimValue(77.854, "degrees")).toBe("77.9°");
  expect(claimValue(null, "nats")).toBe("unknown");
});

it("words of the field are explained where a card uses them first", () => {
  const figure = { name: "loss", value: 1, unit: "nats", step: 5, low: null, high: null, draws: 0 };
  const row = { figures: [figure], null: null, reason: "It fell.", statement: "A step helps." };
  expect(explainedWords(row)).toHaveLength(1);
  expect(explainedWords({ ...row, figures: [] })).toEqual([]);
  expect(explainedWords({ ...row, reason: "The cosine rose, as did the purity." })).toHaveLength(3);
  // Neither a donation nor what stands further down.
  expect(explainedWords({ ...row, figures: [], reason: "Donations rose." })).toEqual([]);
  expect(explainedWords({ ...row, figures: [{ ...figure, unit: "" }, figure] })).toEqual([]);
});

it("an interval says where it comes from", () => {
  const figure = { name: "by chance", value: 0.0081, unit: "share", step: null };
  const ends = { low: 0.0079, high: 0.0083 };
  const drawn = { ...figure, ...ends, draws: 20 };
  expect(claimInterval(drawn)).toBe("from 0.79 % to 0.83 % (n = 20)");
  expect(claimInterval({ ...drawn, draws: 0 })).toBe("from 0.79 % to 0.83 %");
  expect(claimInterval({ ...drawn, high: null })).toBeNull();
});
