/**
 * The introduction of a run to somebody who sees one for the first time: one line at a time, each
 * spoken when what it tells of happens on the screen. Pure: facts and the time in, the line out.
 */

/** The lines, in the order in which they are spoken. */
const ORDER = ["lights", "nothing", "reading", "district", "words"] as const;

export type IntroductionLine = (typeof ORDER)[number];

/** A district of the map: its id, and its name. Hostile: show with `printableName`. */
export interface NamedDistrict {
  readonly id: number;
  readonly name: string;
  /** True where its name says what it is about, which a list of little words does not. */
  readonly telling: boolean;
  /** True where its name is that of a planted class, which the model was never told. */
  readonly planted: boolean;
}

/** All that the introduction depends on, as the page shows it now. */
export interface IntroductionFacts {
  /** Step displayed; null before the first picture. */
  readonly step: number | null;
  /** Step of the layout on the map; null while there is none. */
  readonly mapStep: number | null;
  /** True while the first step waits for the map; the notice of that speaks the first line. */
  readonly held: boolean;
  /** True while the light of a step is shown. */
  readonly lit: boolean;
  /** True while a run that is over is shown as it ended, or a matrix that was never trained. */
  readonly atRest: boolean;
  /** True where a training loop of somebody else's made the run, of which nothing else is known. */
  readonly recorded: boolean;
  /** A district of the map to speak of; null while there is none. */
  readonly district: NamedDistrict | null;
  /** Tokens to try. */
  readonly words: readonly number[];
  /** True while a token is in focus. */
  readonly chosen: boolean;
}

/** A line on the screen, with what was true when it was spoken. */
export interface SpokenLine {
  readonly name: IntroductionLine;
  readonly step: number;
  readonly district: NamedDistrict | null;
  readonly words: readonly number[];
  /** True where the run was shown as it ended. */
  readonly atRest: boolean;
  readonly recorded: boolean;
}

export interface Introduction {
  /** The line on the screen; null while the next one waits for its event. */
  readonly line: SpokenLine | null;
  /** When the newest line was spoken, ms. */
  readonly spokenAt: number;
  /** Number of the lines of `ORDER` that are spoken, or passed over. */
  readonly told: number;
  readonly over: boolean;
}

/** Least and greatest time of a line on the screen, ms. */
export const MIN_READING_TIME = 4_000;
const MAX_READING_TIME = 9_000;
/** Greatest time of the last line, which asks for something, ms. */
const MAX_ASKING_TIME = 30_000;
/** Time after which a line whose event does not happen is passed over, ms. */
const MAX_WAIT = 45_000;
/** Time for which a district with a telling name is waited for while others have formed, ms. */
const MAX_NAME_WAIT = 15_000;
/** Last step at which the map of step 0 is still what is to be seen. */
const LAST_EARLY_STEP = 20;

/** Return an introduction that has told nothing yet. */
export function beginIntroduction(now: number): Introduction {
  return { line: null, spokenAt: now, told: 0, over: false };
}

/** Return an introduction that tells along a replay from step 0; what a light is has been said. */
export function tellReplay(now: number): Introduction {
  return { line: null, spokenAt: now, told: ORDER.indexOf("nothing"), over: false };
}

/** Return the introduction, ended. */
export function endIntroduction(introduction: Introduction): Introduction {
  return { ...introduction, line: null, over: true };
}

/** Return the introduction with its line put away, for a reader who has read it. */
export function putLineAway(introduction: Introduction): Introduction {
  const last = introduction.told === ORDER.length;
  return last ? endIntroduction(introduction) : { ...introduction, line: null };
}

/** Return the introduction at `now` (ms), when these are the facts; itself where nothing changed. */
export function advanceIntroduction(
  introduction: Introduction,
  facts: IntroductionFacts,
  now: number,
): Introduction {
  const { line, spokenAt, over } = introduction;
  if (over) return introduction;
  // Who has found a word needs no card over it.
  if (facts.chosen) return endIntroduction(introduction);
  const shownFor = now - spokenAt;
  if (line && shownFor < MIN_READING_TIME) return introduction;
  let { told } = introduction;
  let name = ORDER[told];
  while (name && !isReady(name, facts, shownFor) && isMissed(name, facts, shownFor)) {
    told += 1;
    name = ORDER[told];
  }
  if (name === undefined) {
    const stays = line?.name === "words" && shownFor < MAX_ASKING_TIME;
    return stays ? introduction : endIntroduction(introduction);
  }
  if (isReady(name, facts, shownFor)) {
    const { step, district, words, atRest, recorded } = facts;
    return {
      line: { name, step: step ?? 0, district, words, atRest, recorded },
      spokenAt: now,
      told: told + 1,
      over: false,
    };
  }
  if (told === introduction.told && !(line && shownFor >= MAX_READING_TIME)) return introduction;
  return { ...introduction, line: shownFor < MAX_READING_TIME ? line : null, told };
}

/** Return whether what a line tells of is on the screen. */
function isReady(name: IntroductionLine, facts: IntroductionFacts, waited: number): boolean {
  const { step, mapStep, held, lit, district, words } = facts;
  if (step === null || mapStep === null || held) return false;
  switch (name) {
    case "lights":
      return true;
    case "nothing":
      return knowsNothing(facts);
    case "reading":
      return lit && step > 0 && !facts.atRest;
    case "district":
      return district !== null && (district.telling || facts.atRest || waited >= MAX_NAME_WAIT);
    case "words":
      return words.length > 0;
  }
}

/** Return whether a line would not be true any more, or its event has been waited for long enough. */
function isMissed(name: IntroductionLine, facts: IntroductionFacts, waited: number): boolean {
  if (facts.held) return name === "lights";
  if (facts.step === null || facts.mapStep === null) return false;
  switch (name) {
    case "lights":
      return false;
    case "nothing":
      return !knowsNothing(facts);
    case "reading":
      return facts.atRest || waited >= MAX_WAIT;
    case "district":
      return waited >= (facts.atRest ? MAX_READING_TIME : MAX_WAIT);
    case "words":
      return facts.words.length === 0;
  }
}

/** Return whether the map is of the matrix that nothing has changed yet. */
function knowsNothing({ step, mapStep, atRest, recorded }: IntroductionFacts): boolean {
  return mapStep === 0 && step !== null && step <= LAST_EARLY_STEP && !atRest && !recorded;
}
