/** The parts of the course, and one of them on a run, asked for again while it is open. */

import { runPath } from "../../api/rest";
import { getSource } from "../../api/source";
import type { Answer, LessonPart } from "../../api/rest-types";
import { PolledQuery } from "../../state/query/polled-query.svelte";
import { jsonQuestion, Query } from "../../state/query/query.svelte";

/** Pauses of whoever presents, and of everybody else, in ms: five hundred may look on. */
const PRESENTERS_PAUSE = 2_000;
const VIEWERS_PAUSE = 15_000;

/** Return a path whose texts are to be in the language of the page. */
const inLanguage = (path: string) => `${path}?lang=${document.documentElement.lang}`;

export class LessonListQuery extends Query<Answer<"GET /api/lessons">> {
  list() {
    this.ask(jsonQuestion(inLanguage("/api/lessons")));
  }
}

export class TeacherPageQuery extends Query<Answer<"GET /api/lessons/{part}/teacher">> {
  openPart(part: number) {
    this.ask(jsonQuestion(inLanguage(`/api/lessons/${part}/teacher`)));
  }
}

export class LessonQuery extends PolledQuery<LessonPart> {
  private part: number | null = null;

  /** Ask about a run. `presents` returns whether this browser does: a page that was opened by a link learns it late. */
  constructor(
    private readonly run: string,
    private readonly presents: () => boolean,
  ) {
    super();
  }

  protected get pollInterval(): number {
    return this.presents() ? PRESENTERS_PAUSE : VIEWERS_PAUSE;
  }

  /** Ask for a part, and again while it is open; null: for none. */
  openPart(part: number | null) {
    if (part === this.part) return;
    this.part = part;
    this.poll();
  }

  protected question() {
    if (this.part === null) return null;
    const path = inLanguage(runPath(this.run, `lessons/${this.part}`));
    const question = jsonQuestion<LessonPart>(path, String(this.part));
    // A server is always asked again, and says whether anything has changed; a file stays the same.
    return getSource().packed ? question : { ...question, key: null };
  }
}
