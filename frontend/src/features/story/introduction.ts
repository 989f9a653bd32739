/**
 * The introduction of a run for first-time visitors: one line at a time, each told when its event is on the
 * screen. Pure: facts and the time in, the line out.
 */

/** The lines, in the order in which they are told. */
const ORDER = ["lights", "nothing", "reading", "district", "lie", "words"] as const;

export type IntroductionLine = (typeof ORDER)[number];

/** A district of the map: its id, and its name. Hostile: show with `printableName`. */
export interface NamedDistrict {
  readonly id: number;
  readonly name: string;
  /** True where its name is informative, unlike a list of short words. */
  readonly telling: boolean;
  /** True where its name is that of a planted class, which the model never saw. */
  readonly planted: boolean;
}

/** All facts that the introduction depends on, as the page shows them now. */
export interface IntroductionFacts {
  /** Step displayed; null before the first picture. */
  readonly step: number | null;
  /** Step of the layout on the map; null while there is none. */
  readonly mapStep: number | null;
  /** True while the first step waits for the map; the notice of that wait tells the first line. */
  readonly held: boolean;
  /** True while a step's light is displayed. */
  readonly lit: boolean;
  /** True at the end of a run, or for a matrix that was never trained. */
  readonly atRest: boolean;
  /** True for a run that does not begin at random here: a fork, or one recorded from an external training loop. */
  readonly recorded: boolean;
  /** A district of the map to point out; null while there is none. */
  readonly district: NamedDistrict | null;
  /** A sentence to teach the model; null where it cannot be asked. */
  readonly lie: string | null;
  /** Tokens to try. */
  readonly words: readonly number[];
  /** True while a token is in focus, or the model is being asked. */
  readonly chosen: boolean;
}

/** A displayed line, with the facts when it was told. */
export interface SpokenLine {
  readonly name: IntroductionLine;
  readonly step: number;
  readonly district: NamedDistrict | null;
  readonly lie: string | null;
  readonly words: readonly number[];
  /** True where the run was displayed at its end. */
  readonly atRest: boolean;
  readonly recorded: boolean;
  /** True in a run of hidden states. */
  readonly probed?: boolean;
}

export interface Introduction {
  /** The displayed line; null while the next one waits for its event. */
  readonly line: SpokenLine | null;
  /** When the newest line was told, in ms. */
  readonly spokenAt: number;
  /** Number of lines of `ORDER` that were told or skipped. */
  readonly told: number;
  readonly over: boolean;
}

/** Minimum and maximum display time of a line, in ms. */
export const MIN_READING_TIME = 4_000;
const MAX_READING_TIME = 9_000;
/** The lines that ask for an action: they stay until it is taken, or the line is put away. */
const ASKING: readonly IntroductionLine[] = ["lie", "words"];
/** Time after which a line is skipped if its event does not happen, in ms. */
const MAX_WAIT = 45_000;
/** Maximum wait for a district with an informative name while others exist, in ms. */
const MAX_NAME_WAIT = 15_000;
/** Last step at which the map of step 0 is still displayed. */
const LAST_EARLY_STEP = 20;

/** Return an introduction that has told nothing yet. */
export function beginIntroduction(now: number): Introduction {
  return { line: null, spokenAt: now, told: 0, over: false };
}

/** Return an introduction along a replay from step 0, without the line that explains a light. */
export function tellReplay(now: number): Introduction {
  return { line: null, spokenAt: now, told: ORDER.indexOf("nothing"), over: false };
}

/** Return the introduction, ended. */
export function endIntroduction(introduction: Introduction): Introduction {
  return { ...introduction, line: null, over: true };
}

/** Return the introduction after its line was read and put away. */
export function putLineAway(introduction: Introduction): Introduction {
  const last = introduction.told === ORDER.length;
  return last ? endIntroduction(introduction) : { ...introduction, line: null };
}

/** Return the introduction at `now` (ms) with these facts; the same object if nothing changed. */
export function advanceIntroduction(
  introduction: Introduction,
  facts: IntroductionFacts,
  now: number,
): Introduction {
  const { line, spokenAt, over } = introduction;
  if (over) return introduction;
  // A visitor who has found a word, or asks, needs no card over it.
  if (facts.chosen) return endIntroduction(introduction);
  const shownFor = now - spokenAt;
  if (line && (ASKING.includes(line.name) || shownFor < MIN_READING_TIME)) return introduction;
  let { told } = introduction;
  let name = ORDER[told];
  while (name && !isReady(name, facts, shownFor) && isMissed(name, facts, shownFor)) {
    told += 1;
    name = ORDER[told];
  }
  if (name === undefined) return endIntroduction(introduction);
  if (isReady(name, facts, shownFor)) {
    const { step, district, lie, words, atRest, recorded } = facts;
    return {
      line: { name, step: step ?? 0, district, lie, words, atRest, recorded },
      spokenAt: now,
      told: told + 1,
      over: false,
    };
  }
  if (told === introduction.told && !(line && shownFor >= MAX_READING_TIME)) return introduction;
  return { ...introduction, line: shownFor < MAX_READING_TIME ? line : null, told };
}

/** Return whether a line's event is on the screen. */
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
    case "lie":
      return facts.lie !== null;
    case "words":
      return words.length > 0;
  }
}

/** Return whether a line is no longer true, or its event has not come for too long. */
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
    case "lie":
      return facts.lie === null;
    case "words":
      return facts.words.length === 0;
  }
}

/** Return whether the map shows the untrained matrix. */
function knowsNothing({ step, mapStep, atRest, recorded }: IntroductionFacts): boolean {
  return mapStep === 0 && step !== null && step <= LAST_EARLY_STEP && !atRest && !recorded;
}
