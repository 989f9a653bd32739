/** The turning points of a run, asked for again as it grows. */

import { runPath } from "../../api/rest";
import type { TurningPoints } from "../../api/rest-types";
import type { TimelineMark } from "../../charts/timeline/timeline-marks";
import { hasEnded } from "../../model/phase";
import { jsonQuestion, Query } from "../../state/query/query.svelte";
import type { LiveRun } from "../../state/run/live-run.svelte";
import { turning } from "./turning.strings";
import { translatedName } from "../../api/names";
import { printableText } from "../../api/vocabulary";

/** The turning points of a run, in words. */
export interface ToldTurning {
  marks: TimelineMark[];
  label: string;
  /** Says what they are, and what chance gives. */
  note: string;
}

/** Questions for each doubling of the measures: the server judges a growing run again as often. */
const EACH_DOUBLING = 8;
/** A finished run that was not measured while it trained is measured when it is opened. */
const LATER = { most: 6, pause: 20_000 };

/** Call `show` with the turning points of a run whenever they change. Returns a function that stops it. */
export function followTurningPoints(run: LiveRun, show: (told: ToldTurning) => void): () => void {
  const query = new Query<TurningPoints>();
  let later = $state(0);
  const stop = $effect.root(() => {
    const over = $derived(hasEnded(run.status?.phase));
    const version = $derived(
      over ? -1 - later : Math.floor(EACH_DOUBLING * Math.log2(run.measures.length)),
    );
    $effect(() => {
      query.ask(jsonQuestion(runPath(run.id, "turning-points"), run.id, version));
    });
    $effect(() => {
      const told = query.value;
      if (!told) return;
      const marks = turningMarks(told, run.newestStep);
      show({ marks, label: turning.label(marks.length), note: turning.note });
      if (!over || told.judged.length || later >= LATER.most) return;
      const timer = setTimeout(() => (later += 1), LATER.pause);
      return () => clearTimeout(timer);
    });
  });
  return () => {
    stop();
    query.close();
  };
}

/** Turning points come before all changes to neighbourhoods, whose size is a number of words. */
const BEFORE_CHANGES = 1e9;
/** Two turning points with the same text are one if they are closer than this share of the run. */
const SAME = 1 / 10;

/** Return a mark for each turning point, by step; of several that say the same, that of the farthest. */
export function turningMarks({ items }: TurningPoints, newest: number): TimelineMark[] {
  const marks: TimelineMark[] = [];
  for (const { curve, step, kind, change, share } of items) {
    // A page that is a file may hold a part of the run.
    if (step > newest) continue;
    const text = turning[kind](describe(curve, change > 0));
    if (!marks.some((one) => one.text === text && Math.abs(one.step - step) < SAME * newest))
      marks.push({ step, text, size: BEFORE_CHANGES + share });
  }
  return marks.sort((a, b) => a.step - b.step);
}

function describe(curve: string, rises: boolean): string {
  const [, family, of] = /^(loss_decile|analogy|separation) (.+)$/.exec(curve) ?? [];
  // A loop may log a number by any name, such as `constructor`.
  let both = Object.hasOwn(turning.curves, curve) ? turning.curves[curve] : undefined;
  if (family === "analogy") both = turning.analogy(printableText(translatedName(of!)));
  if (family === "separation") both = turning.separation(printableText(translatedName(of!)));
  if (family === "loss_decile")
    both = turning.guessed(turning.groups[Number(of) <= 3 ? 0 : Number(of) <= 7 ? 1 : 2]);
  both ??= turning.other(printableText(curve));
  return both[rises ? 0 : 1];
}
