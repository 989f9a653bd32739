/** German texts for people who cannot see the map. */

import type { announcements as english } from "../../first-screen/announcements";
import { changeText } from "../../district-changes";
import { count, fixed, small } from "../../numbers";
import { translateName } from "../names";
import type { Translated } from "../../translation";

const list = new Intl.ListFormat("de");

export const announcements: Translated<typeof english> = {
  progress({ facts, stateChanged, trend, events, moreEvents }, phase, readable) {
    const said: string[] = [];
    if (!facts.connected)
      return "Die Verbindung ist weg und wird neu aufgebaut. Die Seite zeigt weiter den letzten Schritt, der ankam.";
    if (stateChanged) said.push(`Der Lauf: ${phase}.`);
    const loss = Number.isFinite(facts.loss) ? `, Überraschung ${fixed(facts.loss, 2)}` : "";
    let way = "";
    if (loss && trend?.direction === "steady") way = `, gleich seit Schritt ${count(trend.since)}`;
    else if (loss && trend) {
      way = `, um ${small(trend.change)} ${trend.direction === "up" ? "gestiegen" : "gefallen"} seit Schritt ${count(trend.since)}`;
    }
    said.push(`Schritt ${count(facts.step)}${loss}${way}.`);
    const most = facts.districts.map(
      ({ name, lit }) => `${readable(translateName(name))} (${count(lit)})`,
    );
    const where = most.length ? `, am häufigsten aus: ${most.join(", ")}` : "";
    if (facts.lit !== null)
      said.push(`Das Modell liest ${count(facts.lit)} von ${count(facts.all)} Wörtern${where}.`);
    for (const event of events) said.push(`${changeText(event).replace(/\.$/, "")}.`);
    if (moreEvents)
      said.push(
        moreEvents === 1
          ? "Und noch eine Änderung an den Vierteln."
          : `Und noch ${count(moreEvents)} Änderungen an den Vierteln.`,
      );
    return said.join(" ");
  },
  map(tokens, method, step, districts) {
    const largest = districts
      .slice(0, 5)
      .map(({ name, size }) => `${name} (${count(size)} Wörter)`);
    const parts = districts.length
      ? `${count(districts.length)} Viertel; die größten: ${list.format(largest)}.`
      : "Noch keine Viertel.";
    return (
      `${count(tokens)} Wörter, jedes ein Licht; Lichter nah beieinander sind Wörter, die das Modell ähnlich gebraucht. ` +
      `${method}, Schritt ${count(step)}. ${parts} Jedes Wort findest du mit der Suche, jedes Viertel in der Liste unter Erkunden.`
    );
  },
  noMap: "Noch ist nichts gezeichnet.",
  line: (name, first, last, low, high) =>
    `${name}: ${small(first[1])} bei Schritt ${count(first[0])}, ${small(last[1])} bei Schritt ${count(last[0])}; ` +
    `zwischen ${small(low)} und ${small(high)}`,
};
