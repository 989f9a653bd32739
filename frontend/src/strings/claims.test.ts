import { expect, it } from "vitest";
import { claimValue } from "./claims";

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
