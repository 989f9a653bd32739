/**
 * Panels, neighbourhoods and commands for the page's search, which finds them besides words. Loads on first
 * use.
 */

import { printableName } from "../api/vocabulary";
import { clusterGroups } from "../map/regions/districts";
import { hasEnded } from "../model/phase";
import type { SearchEntry } from "../model/search-entry";
import type { Stores } from "../state/context";
import { t } from "../strings";
import { palette as w } from "./palette.strings";

type PaletteStores = Pick<Stores, "commands" | "openRun" | "server" | "preferences">;

/**
 * Return the entries whose name contains each word of the text; for an empty text, all panels and commands.
 */
export function paletteEntries(text: string, stores: PaletteStores): SearchEntry[] {
  const parts = text.toLowerCase().split(/\s+/).filter(Boolean);
  const entries = [...panelEntries(stores), ...commandEntries(stores)];
  if (parts.length) entries.push(...districtEntries(stores));
  return entries.filter(({ label }) => {
    const name = label.toLowerCase();
    return parts.every((part) => name.includes(part));
  });
}

function panelEntries({ commands, server }: PaletteStores): SearchEntry[] {
  const { openPanel } = commands;
  const open = (name: keyof typeof t.panels, does: () => unknown = () => openPanel(name)) => ({
    name,
    label: t.panels[name],
    note: w.panel,
    does,
  });
  return [
    ...server.labPanels.map((name) => open(name)),
    open("game"),
    ...(server.answers ? [open("ask"), open("microscope", () => commands.toggleMicroscope())] : []),
    ...(server.packed
      ? []
      : [
          open("geometry"),
          open("difference"),
          open("claims", () => commands.toggleClaims()),
          open("seeds", () => commands.toggleSeeds()),
          open("runs"),
        ]),
    ...(server.presenter ? [open("class")] : []),
    ...(server.teaches
      ? [{ name: "course", label: w.course, note: w.panel, does: () => commands.openCourse() }]
      : []),
  ];
}

function districtEntries({ commands, openRun }: PaletteStores): SearchEntry[] {
  const districts = openRun.run?.districts;
  if (!districts) return [];
  return clusterGroups(districts).map(({ id, name }) => ({
    name: "district",
    label: printableName(name),
    note: w.neighbourhood,
    does: () => commands.chooseDistrict(id),
  }));
}

function commandEntries({ commands, openRun, server, preferences }: PaletteStores): SearchEntry[] {
  const { run } = openRun;
  const ended = hasEnded(run?.status?.phase);
  const { enlarged } = preferences;
  /** Commands without an effect right now are left out. */
  const does: Record<keyof typeof w.does, false | (() => unknown)> = {
    goLive: () => commands.goLive(),
    goToFirstStep: () => commands.goToStep(0),
    toggleBeat: (ended || run?.requestedStep != null) && (() => commands.toggleBeat()),
    trainOneStep: server.presenter && !ended && (() => commands.trainOneStep()),
    toggleMap: () => commands.toggleMap(),
    toggleSecondMap: () => commands.toggleSecondMap(),
    toggleLasso: () => commands.toggleLasso(),
    showWholeMap: () => commands.showWholeMap(),
    zoomIn: () => commands.zoomIn(),
    zoomOut: () => commands.zoomOut(),
    toggleEnlarged: () => commands.setPreference("enlarged", !enlarged),
    savePicture: () => commands.savePicture(),
    toggleShortcuts: () => commands.toggleShortcuts(),
  };
  return Object.entries(does).flatMap(([name, act]) =>
    act ? [{ name, label: w.does[name as keyof typeof w.does], note: w.command, does: act }] : [],
  );
}
