/** Commands of time: this viewer's picture, live, in a replay, or at a past step. */

import { hasEnded } from "../../model/phase";
import { sourceKind } from "../../model/view/second-map-options";
import type { LiveRun } from "../run/live-run.svelte";
import type { CommandScope } from "./scope";

/** Steps of a jump by a key. */
const JUMP = 10;

export function timeCommands({ apply, openRun, viewSettings, history }: CommandScope) {
  /**
   * Move through time with a key, and return true. Return false while the picture is live and steps still
   * come: the keys then belong to the browser.
   */
  function moveByKey(move: (run: LiveRun) => void): boolean {
    const { run } = openRun;
    if (!run || run.still || (run.requestedStep === null && !hasEnded(run.status?.phase)))
      return false;
    move(run);
    return true;
  }

  return {
    pausePicture: () => openRun.run?.pausePicture(),
    resumePicture: () => openRun.run?.resumePicture(),
    /** Pause or resume the picture. Return false before the first step, when there is nothing to pause. */
    togglePicture(): boolean {
      const { run } = openRun;
      if (!run?.newestStep) return false;
      if (run.paused) run.resumePicture();
      else run.pausePicture();
      return true;
    },
    /**
     * Play the run from a step, at a speed in steps per second (default: the last one). A replay from the
     * start ends the comparison with an earlier step, because it passes that step itself.
     */
    playFrom(step: number, speed?: number) {
      const { secondMap } = viewSettings;
      if (step === 0 && secondMap && sourceKind(secondMap) === "step") apply({ beside: null });
      openRun.run?.play(step, speed);
    },
    goLive: () => openRun.run?.goLive(),
    /** Stop waiting for a step that the server has not sent: stay at the one on display. */
    stopWaiting: () => openRun.run?.stopWaiting(),
    /** Step forward or back. `held`: a held key repeats it. */
    stepBy(steps: number, held = false) {
      if (held) history.goOn();
      openRun.run?.stepBy(steps);
    },
    goToStep(step: number, held = false) {
      if (held) history.goOn();
      openRun.run?.seek(step);
    },
    stepBack: () => moveByKey((run) => run.stepBy(-1)),
    stepForward: () => moveByKey((run) => run.stepBy(1)),
    jumpBack: () => moveByKey((run) => run.stepBy(-JUMP)),
    jumpForward: () => moveByKey((run) => run.stepBy(JUMP)),
    goToFirstStep: () => moveByKey((run) => run.seek(0)),
    goToNewestStep: () => moveByKey((run) => run.seek(run.newestStep)),
    /** Hold the first beat of the step on display, or advance to its second. */
    toggleBeat: () =>
      moveByKey((run) =>
        run.goTo({
          at: run.requestedStep ?? run.newestStep,
          beat: run.timePosition.beat ? null : 1,
        }),
      ),
    /** Scrub to a step, until `endScrub`. */
    scrubTo(step: number) {
      history.beginGesture();
      openRun.run?.scrub(step);
    },
    /** Report that the pointer rests during a scrub. */
    holdScrub: () => openRun.run?.cursor?.pauseScrub(),
    endScrub() {
      openRun.run?.cursor?.endScrub();
      history.endGesture();
    },
    /** Report that the pointer is near the handle of the timeline, or has left it. */
    approachTimeline: (near: boolean) => openRun.run?.prefetchForScrub(near),
    /** Set the speed of this replay or the next, in steps a second. */
    setSpeed: (speed: number) => openRun.run?.setSpeed(speed),
    setBeatInterval: (milliseconds: number) => openRun.setBeatInterval(milliseconds),
    /** Show the recomputed layouts, or the live ones. */
    showReprojected: (reprojected: boolean) => openRun.run?.setReprojected(reprojected),
  };
}
