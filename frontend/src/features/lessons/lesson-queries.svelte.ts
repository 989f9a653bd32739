/** The parts of the course, and one of them on a run, polled while it is open. */

import { runPath } from "../../api/rest";
import { getSource } from "../../api/source";
import type { Answer, LessonPart } from "../../api/rest-types";
import { PolledQuery } from "../../state/query/polled-query.svelte";
import { jsonQuestion, Query } from "../../state/query/query.svelte";

/** Poll intervals in ms: for the presenter, and for viewers, of whom there may be five hundred. */
const PRESENTER_POLL_INTERVAL = 2_000;
const VIEWER_POLL_INTERVAL = 15_000;

/** Return a path that asks for texts in the page's language. */
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

  /** `presents` returns whether this browser presents, which a page opened by a link learns late. */
  constructor(
    private readonly run: string,
    private readonly presents: () => boolean,
  ) {
    super();
  }

  protected get pollInterval(): number {
    return this.presents() ? PRESENTER_POLL_INTERVAL : VIEWER_POLL_INTERVAL;
  }

  /** Ask for a part, and poll it while it is open; null: none. */
  openPart(part: number | null) {
    if (part === this.part) return;
    this.part = part;
    this.poll();
  }

  protected question() {
    if (this.part === null) return null;
    const path = inLanguage(runPath(this.run, `lessons/${this.part}`));
    const question = jsonQuestion<LessonPart>(path, String(this.part));
    // A server is asked each time, and answers whether anything has changed; a file does not change.
    return getSource().packed ? question : { ...question, key: null };
  }
}
