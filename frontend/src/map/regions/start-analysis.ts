/** Start the worker that analyses layouts. Throws if workers are not available. */
export function startAnalysis(): Worker {
  return new Worker(new URL("./analyse.worker.ts", import.meta.url), { type: "module" });
}
