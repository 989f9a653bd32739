/** When the model learned each word, by an answer to the question about it. */

import { ApiError } from "../../api/failure";
import { requestJson, runPath } from "../../api/rest";
import type { Answer, AnswerTo } from "../../api/rest-types";
import type { LiveRun } from "../run/live-run.svelte";

/** Give a run the ages of an answer, by token; NaN: none. Ids of an imported answer may be any. */
export function showAges(run: LiveRun, { words }: AnswerTo<"acquisition">) {
  const ages = new Float32Array(run.vocabulary?.tokens.length ?? 0).fill(NaN);
  for (const { id, age } of words) if (age !== null) ages[id] = age;
  run.ages = ages;
}

/** Load the ages of the last answer that a run has, if any. */
export async function loadAges(run: LiveRun): Promise<void> {
  const path = runPath(run.id, "examinations");
  try {
    const { items } = await requestJson<Answer<"GET /api/runs/{run}/examinations">>(path);
    const last = items
      .filter(({ kind, state }) => kind === "acquisition" && state === "done")
      .reduce<(typeof items)[number] | null>(
        (best, one) => (best && best.step > one.step ? best : one),
        null,
      );
    if (!last) return;
    const { answer } = await requestJson<Answer<"GET /api/runs/{run}/examinations/{examination}">>(
      `${path}/${last.id}`,
    );
    if (answer?.kind === "acquisition") showAges(run, answer);
  } catch (error) {
    // Without ages the map keeps its other colours.
    if (!(error instanceof ApiError)) throw error;
  }
}
