/** Cleanup after each test file: all files of a worker share its modules and globals. */

import { afterAll, vi } from "vitest";

afterAll(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});
