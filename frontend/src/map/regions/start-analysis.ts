/** Start the worker that analyses layouts. Throws where there are no workers. */
export function startAnalysis(): Worker {
  return new Worker(new URL("./analyse.worker.ts", import.meta.url), { type: "module" });
}
