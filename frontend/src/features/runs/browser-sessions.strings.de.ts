/** German texts of the list of browsers that may change runs. */

import type { browserSessions as english } from "./browser-sessions.strings";
import type { Translated } from "../../strings/translation";

const clock = new Intl.DateTimeFormat("de", { dateStyle: "medium", timeStyle: "short" });
const at = (seconds: number) => clock.format(seconds * 1_000);

export const browserSessions: Translated<typeof english> = {
  title: "Browser, die Läufe ändern dürfen",
  about:
    "Jeder davon wurde mit einem Startlink geöffnet und kann Läufe starten, anhalten und löschen. Kennst du einen nicht, dann melde ihn ab.",
  thisBrowser: "Dieser Browser",
  own: ({ browser, created }) => `${browser}, seit ${at(created)}`,
  other: ({ created, last_used }) => `seit ${at(created)}, zuletzt benutzt ${at(last_used)}`,
  end: "Abmelden",
  endOf: (browser) => `Abmelden: ${browser}`,
  endMore: "Dieser Browser kann dann nur noch zusehen",
  endOwnMore: "Dieser Browser kann dann nur noch zusehen, bis du einen neuen Startlink öffnest",
  sure: "Abmelden?",
  keep: "Behalten",
};
