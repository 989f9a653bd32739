/** Texts for people who cannot see the map: what it shows, and its events. */

import type { Announcement } from "../../model/announcement";
import { changeText } from "../district-changes";
import { count, fixed, small } from "../numbers";

const list = new Intl.ListFormat("en");

export const announcements = {
  /** Describe what the city is doing. `readable` makes the text of tokens printable. */
  progress(
    { facts, stateChanged, trend, events, moreEvents }: Announcement,
    phase: string,
    readable: (text: string) => string,
  ): string {
    const said: string[] = [];
    if (!facts.connected)
      return "Connection lost, reconnecting. The page keeps showing the last step that arrived.";
    if (stateChanged) said.push(`The run: ${phase}.`);
    const loss = Number.isFinite(facts.loss) ? `, surprise ${fixed(facts.loss, 2)}` : "";
    let way = "";
    if (loss && trend?.direction === "steady") way = `, steady since step ${count(trend.since)}`;
    else if (loss && trend) {
      way = `, ${trend.direction} by ${small(trend.change)} since step ${count(trend.since)}`;
    }
    said.push(`Step ${count(facts.step)}${loss}${way}.`);
    const most = facts.districts.map(({ name, lit }) => `${readable(name)} (${count(lit)})`);
    const where = most.length ? `, most often from: ${most.join(", ")}` : "";
    if (facts.lit !== null)
      said.push(`The model reads ${count(facts.lit)} of ${count(facts.all)} words${where}.`);
    for (const event of events) said.push(`${changeText(event).replace(/\.$/, "")}.`);
    if (moreEvents)
      said.push(
        `And ${count(moreEvents)} more ${moreEvents === 1 ? "change" : "changes"} to neighbourhoods.`,
      );
    return said.join(" ");
  },

  /** Describe what the map shows, in place of the picture. */
  map(tokens: number, method: string, step: number, districts: { name: string; size: number }[]) {
    const largest = districts.slice(0, 5).map(({ name, size }) => `${name} (${count(size)} words)`);
    const parts = districts.length
      ? `${count(districts.length)} neighbourhoods; the largest: ${list.format(largest)}.`
      : "No neighbourhoods yet.";
    return (
      `${count(tokens)} words, each a light; lights near each other are words that the model uses alike. ` +
      `${method}, step ${count(step)}. ${parts} Every word can be found by the search, every neighbourhood in the list under Explore.`
    );
  },
  noMap: "Nothing is drawn yet.",

  /** Describe a line of a chart, in place of the picture. */
  line: (
    name: string,
    first: [number, number],
    last: [number, number],
    low: number,
    high: number,
  ) =>
    `${name}: ${small(first[1])} at step ${count(first[0])}, ${small(last[1])} at step ${count(last[0])}; ` +
    `between ${small(low)} and ${small(high)}`,
} as const;
