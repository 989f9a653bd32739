/** Cleaning up after each file of tests: all files of a worker share its modules and globals. */

import { afterAll, vi } from "vitest";

afterAll(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});
