/**
 * A query whose path changes: debounced, sent once for each path, and an older answer never
 * replaces a newer one.
 */

import { requestJson } from "../../api/rest";
import { ApiError, type Failure } from "../../api/failure";

export class Query<T> {
  /** The last answer; null before the first one and after a refused request. */
  value = $state.raw<T | null>(null);
  /** Why there is no answer. */
  problem = $state.raw<Failure | null>(null);
  loading = $state(false);

  private path: string | null = null;
  private version = 0;
  private abort: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** Start without a path. `fetch` gets the data of a path. */
  constructor(
    private readonly fetch: (path: string, signal: AbortSignal) => Promise<T> = (path, signal) =>
      requestJson<T>(path, { signal }),
  ) {}

  /**
   * Request `path` and abandon the previous request; null requests nothing.
   *
   * The previous answer stays until a new one arrives, unless `fresh`. `delay` is a debounce in
   * milliseconds: during a scrub only the last path is requested. `version` identifies the state of
   * the data; another version requests the same path again.
   */
  request(
    path: string | null,
    {
      delay = 0,
      fresh = false,
      version = 0,
    }: { delay?: number; fresh?: boolean; version?: number } = {},
  ) {
    if (path === this.path && version === this.version) return;
    this.close();
    this.path = path;
    this.version = version;
    if (path === null || fresh) this.value = this.problem = null;
    if (path === null) return;
    this.loading = true;
    this.timer = setTimeout(() => void this.run(path), delay);
  }

  close() {
    clearTimeout(this.timer);
    this.abort?.abort();
    this.path = null;
    this.loading = false;
  }

  private async run(path: string) {
    const abort = (this.abort = new AbortController());
    try {
      const value = await this.fetch(path, abort.signal);
      if (abort.signal.aborted) return;
      this.value = value;
      this.problem = null;
    } catch (error) {
      if (abort.signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      this.value = null;
      this.problem = error.failure;
      // Allow the same path to be requested again; it may succeed then.
      this.path = null;
    }
    this.loading = false;
  }
}
