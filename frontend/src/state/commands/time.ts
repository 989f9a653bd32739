/** Commands of time: this viewer's picture, live, in a replay, or at a past step. */

import type { LiveRun } from "../run/live-run.svelte";
import type { CommandScope } from "./scope";

/** Steps of a jump by a key. */
const JUMP = 10;

export function timeCommands({ openRun, history }: CommandScope) {
  /** Move through time by a key, and return true; while the picture is live, return false. */
  function inThePast(move: (run: LiveRun) => void): boolean {
    const { run } = openRun;
    if (!run || run.requestedStep === null) return false;
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
    playFrom: (step: number) => openRun.run?.play(step),
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
    stepBack: () => inThePast((run) => run.stepBy(-1)),
    stepForward: () => inThePast((run) => run.stepBy(1)),
    jumpBack: () => inThePast((run) => run.stepBy(-JUMP)),
    jumpForward: () => inThePast((run) => run.stepBy(JUMP)),
    goToFirstStep: () => inThePast((run) => run.seek(0)),
    goToNewestStep: () => inThePast((run) => run.seek(run.newestStep)),
    /** Hold the first beat of the step shown, or go on to its second. */
    toggleBeat: () =>
      inThePast((run) =>
        run.goTo({ at: run.requestedStep, beat: run.timePosition.beat ? null : 1 }),
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
