/**
 * Layout analysis in a worker, because it takes longer than one frame. Of the layouts that arrive during an
 * analysis, only the newest is analysed next.
 */

import type { GroupMembers } from "./districts";
import type { Placement } from "../../model/plane/placement";
import { analyseLayout, type LayoutAnalysis } from "./analyse";

/** Start the worker that analyses layouts. Throws if workers are not available. */
function startAnalysis(): Worker {
  return new Worker(new URL("./analyse.worker.ts", import.meta.url), { type: "module" });
}

/** A message to the worker. */
export interface AnalysisJob {
  placement: Placement;
  /** Group members; null for those of the previous message. */
  members: GroupMembers | null;
}

interface PendingAnalysis extends AnalysisJob {
  members: GroupMembers;
  done: (analysis: LayoutAnalysis) => void;
}

/** The analyser of layouts, with its worker. */
export class AnalysisWorker {
  private worker: Worker | null = null;
  private sentMembers: GroupMembers | null = null;
  private current: PendingAnalysis | null = null;
  private next: PendingAnalysis | null = null;
  private stopped = false;

  constructor() {
    try {
      this.worker = startAnalysis();
      this.worker.onmessage = ({ data }: MessageEvent<LayoutAnalysis>) => this.complete(data);
      this.worker.onerror = () => this.fallBack();
    } catch {
      this.worker = null;
    }
  }

  /** Analyse a layout. `done` is called later, unless a newer layout replaces this one before its turn. */
  submit(placement: Placement, members: GroupMembers, done: (analysis: LayoutAnalysis) => void) {
    this.next = { placement, members, done };
    if (!this.busy) this.startNext();
  }

  private get busy(): boolean {
    return this.current !== null;
  }

  /** Cancel all requests; their callbacks are no longer called. */
  cancelAll() {
    this.next = null;
    if (this.current) this.current.done = () => undefined;
  }

  stop() {
    this.stopped = true;
    this.cancelAll();
    this.worker?.terminate();
    this.worker = null;
  }

  private startNext() {
    this.current = this.next;
    this.next = null;
    if (!this.current) return;
    const { placement, members } = this.current;
    if (this.worker) {
      const job: AnalysisJob = {
        placement,
        members: members === this.sentMembers ? null : members,
      };
      this.sentMembers = members;
      this.worker.postMessage(job);
    } else setTimeout(() => this.current && this.complete(analyseLayout(placement, members)), 0);
  }

  private complete(analysis: LayoutAnalysis) {
    if (this.stopped || !this.current) return;
    const { done } = this.current;
    this.current = null;
    done(analysis);
    // If `done` requested another analysis, it has already begun.
    if (!this.busy) this.startNext();
  }

  /** Continue on the main thread, because the worker failed or could not be loaded. */
  private fallBack() {
    this.worker?.terminate();
    this.worker = null;
    this.next ??= this.current;
    this.current = null;
    if (!this.stopped) this.startNext();
  }
}
