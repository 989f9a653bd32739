import { describe, expect, it } from "vitest";
import type { CommandScope } from "./scope";
import { pageCommands } from "./page";
import { tokenCommands } from "./tokens";

describe("Esc", () => {
  it("closes the help, then the second map, then the word", () => {
    const viewSettings = {
      shortcutsOpen: true,
      secondMap: "step:0" as string | null,
      panel: "token",
      district: null,
      ring: null,
    };
    const put: string[] = [];
    const scope = {
      apply(change: object) {
        put.push(...Object.keys(change));
        if ("beside" in change) viewSettings.secondMap = null;
      },
      viewSettings,
      viewpoint: { wayBack: {} },
      focus: { reference: "dog" },
      selection: { tool: "pan", ids: [] },
    };
    const commands = pageCommands(scope as unknown as CommandScope);
    commands.dismiss();
    expect([viewSettings.shortcutsOpen, put]).toEqual([false, []]);
    commands.dismiss();
    expect(put).toEqual(["beside"]);
    commands.dismiss();
    expect(put).toEqual(["beside", "token", "folded"]);
  });

  it("closes a panel that was opened after the word first", () => {
    const applied: object[] = [];
    const viewSettings = {
      panel: "ask" as string | null,
      district: null,
      geometry: { arrow: null },
    };
    const scope = {
      apply(change: object) {
        applied.push(change);
        viewSettings.panel = null;
      },
      viewSettings,
      viewpoint: { wayBack: {} },
      focus: { reference: "dog" },
      selection: { tool: "pan", ids: [] },
    };
    const commands = pageCommands(scope as unknown as CommandScope);
    commands.dismiss();
    commands.dismiss();
    expect(applied).toEqual([{ folded: true }, { token: null }]);
  });

  it("closes a direction together with its panel, and restores the earlier look", () => {
    const applied: object[] = [];
    const geometry = { arrow: { from: [1], to: [2] } as object | null };
    const scope = {
      apply: (change: object) => applied.push(change),
      viewSettings: { panel: "geometry", district: null, geometry },
      viewpoint: { wayBack: { look: null } },
      focus: { reference: null },
      selection: { tool: "pan", ids: [] },
    };
    const commands = pageCommands(scope as unknown as CommandScope);
    commands.dismiss();
    geometry.arrow = null;
    commands.dismiss();
    expect(applied).toEqual([{ folded: true, look: null }, { folded: true }]);
  });
});

it("the path of a word goes when another is chosen, and stays when the same one is", () => {
  const applied: object[] = [];
  const viewpoint = { sought: null };
  const viewSettings = { showsWay: true };
  const scope = { apply: (change: object) => applied.push(change), focus: { token: 3 } };
  const commands = tokenCommands({ ...scope, viewpoint, viewSettings } as unknown as CommandScope);
  commands.goToToken(7);
  expect(applied.pop()).toMatchObject({ token: 7, trails: null, over: null });
  commands.chooseToken(3);
  expect(applied.pop()).not.toHaveProperty("trails");
  viewSettings.showsWay = false;
  commands.chooseToken(7);
  expect(applied.pop()).not.toHaveProperty("over");
});
