/**
 * The table of all commands: each user action on the page has a name here, which buttons, keys and touch
 * share. A command that changes the view makes an entry in the history.
 */

import type { ShortcutName } from "../../model/shortcuts";
import type { ViewHistory } from "../view/view-history";
import { pageCommands } from "./page";
import { panelCommands } from "./panels";
import { runCommands } from "./runs";
import type { CommandScope } from "./scope";
import { timeCommands } from "./time";
import { tokenCommands } from "./tokens";
import { viewCommands } from "./view";

export type { PageParts } from "./scope";

export type Commands = ReturnType<typeof buildTable>;

/** Create the table of commands on these stores. */
export function createCommands(scope: CommandScope): Commands {
  return recorded(buildTable(scope), scope.history);
}

function buildTable(scope: CommandScope) {
  return Object.freeze({
    ...timeCommands(scope),
    ...viewCommands(scope),
    ...tokenCommands(scope),
    ...panelCommands(scope),
    ...runCommands(scope),
    ...pageCommands(scope),
  }) satisfies Record<ShortcutName, () => unknown>;
}

/** Record the view change of each command in a table. */
function recorded<Table extends object>(table: Table, history: ViewHistory): Table {
  const entries = Object.entries(table).map(([name, command]) => [
    name,
    (...values: unknown[]) =>
      history.record(() => (command as (...values: unknown[]) => unknown)(...values)),
  ]);
  return Object.freeze(Object.fromEntries(entries)) as Table;
}
