import { describe, expect, it } from "vitest";
import type { TurningPoints } from "../../api/rest-types";
import { largestMarks } from "../../charts/timeline/timeline-marks";
import { turningMarks } from "./turning-points.svelte";

type Item = TurningPoints["items"][number];

const at = (curve: string, step: number, change: number, kind: Item["kind"] = "begins"): Item => ({
  curve,
  step,
  number: step,
  between: [step, step],
  between_numbers: [step, step],
  kind,
  value: 0,
  change,
  share: Math.abs(change),
  by_chance: 1e-6,
});
const told = (items: Item[]): TurningPoints => ({ items, judged: [], limit: 0.01 });

describe("turning points", () => {
  it("say in words what changed, by step", () => {
    const marks = turningMarks(
      told([
        at("analogy capital", 1000, 0.9),
        at("effective_rank", 300, -0.4, "reverses"),
        at("loss_decile 9", 700, -0.3, "speeds_up"),
        at("eval/loss", 900, 0.2),
        at("constructor", 950, -0.1),
      ]),
      5000,
    );
    expect(marks.map(({ step, text }) => [step, text])).toEqual([
      [300, "Turned round: the words use fewer directions"],
      [700, "Faster from here: rare words are guessed better"],
      [900, "From here: eval/loss rises"],
      [950, "From here: constructor falls"],
      [1000, "From here: “capital” analogies come out right"],
    ]);
  });

  it("are told once where several curves say the same", () => {
    const items = [at("loss_decile 10", 800, -0.9), at("loss_decile 8", 900, -0.8)];
    expect(turningMarks(told(items), 5000).map(({ step }) => step)).toEqual([800]);
    expect(turningMarks(told(items), 900)).toHaveLength(2);
    expect(turningMarks(told(items), 850)).toHaveLength(1);
  });

  it("are marked before changes to neighbourhoods, seven in all", () => {
    const changes = Array.from({ length: 9 }, (_, i) => ({
      step: 400 * i + 100,
      text: "",
      size: 500,
    }));
    const [turn] = turningMarks(told([at("purity_10nn", 110, 0.1)]), 5000);
    const marks = largestMarks([...changes, turn!], 5000);
    expect(marks[0]).toEqual(turn);
    expect(marks).toHaveLength(7);
  });
});
