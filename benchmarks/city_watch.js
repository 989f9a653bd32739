// Runs in the measured page: records when each of the scene's frames was finished to the last pixel, and the steps
// that the pointer requested. Times are Unix milliseconds.
(() => {
  const now = () => performance.timeOrigin + performance.now();
  const watch = (window.watch = {
    begun: performance.timeOrigin,
    /** When the first lamps, and the first beat, were finished. */
    city: null,
    beat: null,
    /** Steps that the pointer requested, with the time of its move. */
    asked: [],
    /** The first frame of each step shown; `when` is the time at which the GPU had finished it. */
    shown: [],
    /** Milliseconds between successive frames of the page. */
    frames: [],
  });
  const waiting = [];
  let last = null;
  let before = performance.now();
  let placed = false;

  /** Call `then` once the GPU has finished everything drawn so far. */
  function drawn(then) {
    const gl = document.querySelector("[data-testid=city]").getContext("webgl2");
    waiting.push({ gl, fence: gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0), then });
    gl.flush();
    if (waiting.length === 1) poll();
  }

  function poll() {
    while (waiting.length) {
      const { gl, fence, then } = waiting[0];
      if (gl.clientWaitSync(fence, 0, 0) === gl.TIMEOUT_EXPIRED) break;
      gl.deleteSync(fence);
      waiting.shift();
      then(now());
    }
    if (waiting.length) setTimeout(poll, 4);
  }

  function look(at) {
    requestAnimationFrame(look);
    watch.frames.push(at - before);
    before = at;
    const there = window.__lamplighter;
    if (!there) return;
    // A layout that first appears here is drawn later in this frame, so it is on the canvas by the next one.
    if (placed && watch.city === null) {
      watch.city = 0;
      drawn((when) => (watch.city = when));
    }
    placed = there.shown !== null;
    const { paintings } = there;
    for (const painting of paintings.slice(paintings.indexOf(last) + 1)) {
      last = painting;
      const { step, rows, map, at: issued } = painting;
      drawn((when) => {
        watch.beat ??= when;
        watch.shown.push({ step, rows, map, issued, when });
      });
    }
  }
  requestAnimationFrame(look);

  addEventListener("pointermove", (event) => {
    const handle = document.querySelector("[data-testid=scrubber].dragging");
    if (!handle) return;
    const when = performance.timeOrigin + event.timeStamp;
    // A microtask later the page has handled the move, if it handles moves at once.
    queueMicrotask(() => {
      const step = window.__lamplighter.wanted;
      if (watch.asked.at(-1)?.step !== step) watch.asked.push({ step, when });
    });
  });
})();
