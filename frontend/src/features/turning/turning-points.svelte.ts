/** The turning points of a run, asked for again as it grows. */

import { runPath } from "../../api/rest";
import type { TurningPoints } from "../../api/rest-types";
import type { TimelineMark } from "../../charts/timeline/timeline-marks";
import { hasEnded } from "../../model/phase";
import { jsonQuestion, Query } from "../../state/query/query.svelte";
import type { LiveRun } from "../../state/run/live-run.svelte";
import { turningMarks } from "./turning-marks";
import { turning } from "./turning.strings";

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
