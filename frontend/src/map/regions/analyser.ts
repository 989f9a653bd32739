/**
 * Layout analysis off the main thread, since it takes longer than the time between two frames. Of the layouts
 * that arrive during an analysis, only the newest is analysed next.
 */

import type { Members } from "./districts";
import type { Placement } from "../../model/placement";
import { survey, type Survey } from "./analyse";

/** A message to the worker. */
export interface Commission {
  placement: Placement;
  /** Group members; null for those of the message before. */
  members: Members | null;
}

interface Waiting extends Commission {
  members: Members;
  done: (survey: Survey) => void;
}

/** The analyser of layouts, with its worker. */
export class Surveyor {
  private worker: Worker | null = null;
  private known: Members | null = null;
  private at: Waiting | null = null;
  private next: Waiting | null = null;
  private stopped = false;

  constructor() {
    try {
      this.worker = new Worker(new URL("./analyse.worker.ts", import.meta.url), { type: "module" });
      this.worker.onmessage = ({ data }: MessageEvent<Survey>) => this.answered(data);
      this.worker.onerror = () => this.withoutWorker();
    } catch {
      this.worker = null;
    }
  }

  /** Analyse a layout. `done` is called later, unless a newer layout replaces this one before its turn. */
  ask(placement: Placement, members: Members, done: (survey: Survey) => void) {
    this.next = { placement, members, done };
    if (!this.busy) this.begin();
  }

  private get busy(): boolean {
    return this.at !== null;
  }

  /** Cancel all requests; their callbacks are not called any more. */
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
    // If `done` asked for another analysis, that one has already begun.
    if (!this.busy) this.begin();
  }

  /** Continue on the main thread, because the worker failed or could not be loaded. */
  private withoutWorker() {
    this.worker?.terminate();
    this.worker = null;
    this.next ??= this.at;
    this.at = null;
    if (!this.stopped) this.begin();
  }
}
