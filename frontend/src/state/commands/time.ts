/** Commands of time: this viewer's picture, live, in a replay, or at a past step. */

import { hasEnded } from "../../model/phase";
import type { LiveRun } from "../run/live-run.svelte";
import type { CommandScope } from "./scope";

/** Steps of a jump by a key. */
const JUMP = 10;

export function timeCommands({ openRun, history }: CommandScope) {
  /**
   * Move through time by a key, and return true. Return false while the picture is live and steps still come: the
   * keys are then the browser's.
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
    togglePicture() {
      const { run } = openRun;
      if (run?.paused) run.resumePicture();
      else run?.pausePicture();
    },
    /** Play the run from a step on, at a speed in steps a second, or the one chosen before. */
    playFrom: (step: number, speed?: number) => openRun.run?.play(step, speed),
    goLive: () => openRun.run?.goLive(),
    /** Step on or back. `held`: a key that is held down repeats it. */
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
    /** Hold the first beat of the step shown, or go on to its second. */
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
    /** Report that the scrubbing hand keeps still. */
    holdScrub: () => openRun.run?.pauseScrub(),
    endScrub() {
      openRun.run?.endScrub();
      history.endGesture();
    },
    /** Report that the pointer is near the handle of the timeline, or has left it. */
    approachTimeline: (near: boolean) => openRun.run?.prefetchForScrub(near),
    /** Set the speed of this replay or the next, in steps a second. */
    setSpeed: (speed: number) => openRun.run?.setSpeed(speed),
    setBeatInterval: (milliseconds: number) => openRun.setBeatInterval(milliseconds),
    /** Show the layouts computed anew, or those made live. */
    showReprojected: (reprojected: boolean) => openRun.run?.setReprojected(reprojected),
  };
}
