/** Texts of the list of browsers that may change runs. */

import { formatTime } from "./run";

export const browserSessions = {
  browserSessions: {
    title: "Browsers that are in control",
    about:
      "Each of these was opened with a launch link, and can start, pause and delete runs. If you do not know one, end it.",
    thisBrowser: "This browser",
    since: (seconds: number) => `since ${formatTime(seconds)}`,
    lastUsed: (seconds: number) => `last used ${formatTime(seconds)}`,
    end: "End",
    endOf: (browser: string) => `End: ${browser}`,
    endMore: "That browser can then only watch",
    endOwnMore: "This browser can then only watch, until you open a new launch link",
    sure: "End it?",
    keep: "Keep",
  },
} as const;
