import AnalysisWorker from "./analyse.worker?worker&inline";

/** Start the worker that analyses layouts, whose code is in the page itself. Throws where there are no workers. */
export function startAnalysis(): Worker {
  return new AnalysisWorker();
}
