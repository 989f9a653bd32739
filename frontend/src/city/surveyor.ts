/**
 * Surveys layouts beside the page: a worker does it, since it takes longer than the main thread has between two
 * frames. Of several layouts that come while one is being surveyed the newest is taken up next, the others never.
 */

import type { Members } from "./districts";
import type { Placement } from "./placement";
import { survey, type Survey } from "./survey";

/** What the worker is sent. */
export interface Commission {
  placement: Placement;
  /** null: those of the commission before. */
  members: Members | null;
}

interface Waiting extends Commission {
  members: Members;
  done: (survey: Survey) => void;
}

export class Surveyor {
  private worker: Worker | null = null;
  private known: Members | null = null;
  private at: Waiting | null = null;
  private next: Waiting | null = null;
  private stopped = false;

  constructor() {
    try {
      this.worker = new Worker(new URL("./survey.worker.ts", import.meta.url), { type: "module" });
      this.worker.onmessage = ({ data }: MessageEvent<Survey>) => this.answered(data);
      this.worker.onerror = () => this.withoutWorker();
    } catch {
      this.worker = null;
    }
  }

  /** Survey a layout; `done` is called later, unless a newer one came before its turn. */
  ask(placement: Placement, members: Members, done: (survey: Survey) => void) {
    this.next = { placement, members, done };
    if (!this.at) this.begin();
  }

  /** Nothing that was asked is answered any more. */
  forget() {
    this.next = null;
    if (this.at) this.at.done = () => undefined;
  }

  stop() {
    this.stopped = true;
    this.forget();
    this.worker?.terminate();
    this.worker = null;
  }

  private begin() {
    this.at = this.next;
    this.next = null;
    if (!this.at) return;
    const { placement, members } = this.at;
    if (this.worker) {
      const commission: Commission = {
        placement,
        members: members === this.known ? null : members,
      };
      this.known = members;
      this.worker.postMessage(commission);
    } else setTimeout(() => this.at && this.answered(survey(placement, members)), 0);
  }

  private answered(found: Survey) {
    if (this.stopped || !this.at) return;
    const { done } = this.at;
    this.at = null;
    done(found);
    // Asked for by `done` it has begun already.
    if (!this.at) this.begin();
  }

  /** The worker could not be loaded, or failed: the page surveys by itself. */
  private withoutWorker() {
    this.worker?.terminate();
    this.worker = null;
    this.next ??= this.at;
    this.at = null;
    if (!this.stopped) this.begin();
  }
}
