/** Texts of the circles of numbers. */

import { percent } from "../../strings/shares";
import { table } from "../../strings/translation";

export const circles = table("circles", {
  strongest: (frequency: number, share: number, chance: number, step: string) =>
    `At step ${step}, frequency ${frequency} holds ${percent(share)} of how the numbers’ rows differ. In random rows of the same lengths, the strongest holds ${percent(chance)}.`,
  shares: "Share of each frequency",
  sharesMore: (most: number) =>
    `Frequencies 1 to ${most}: how often the numbers go round a circle from 0 back to 0. Dashed: the strongest by chance.`,
  share: (frequency: number, share: number) => `Frequency ${frequency}: ${percent(share)}`,
  plane: (frequency: number) => `The numbers on the circle of frequency ${frequency}`,
  variance: (frequency: number, share: number) =>
    `Frequency ${frequency}: this plane holds ${percent(share)} of all differences.`,
  byChance: (share: number) =>
    `The plane of the strongest frequency of random rows holds ${percent(share)}, and shows no circle.`,
  onMap: "Show the circle on the map",
} as const);
