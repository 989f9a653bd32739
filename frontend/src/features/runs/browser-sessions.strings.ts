/** Texts of the list of browsers that may change runs; they load with it, since few viewers open it. */

import type { BrowserSession } from "../../api/rest-types";
import { table } from "../../strings/translation";

const clock = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });
const at = (seconds: number) => clock.format(seconds * 1_000);

export const browserSessions = table("browserSessions", {
  title: "Browsers with edit access",
  about:
    "Each of these was opened with a launch link, and can start, pause and delete runs. If you do not recognise one, end it.",
  thisBrowser: "This browser",
  own: ({ browser, created }: BrowserSession) => `${browser}, since ${at(created)}`,
  other: ({ created, last_used }: BrowserSession) =>
    `since ${at(created)}, last used ${at(last_used)}`,
  end: "End",
  endOf: (browser: string) => `End: ${browser}`,
  endMore: "That browser can then only watch",
  endOwnMore: "This browser can then only watch, until you open a new launch link",
  sure: "End it?",
  keep: "Keep",
} as const);
