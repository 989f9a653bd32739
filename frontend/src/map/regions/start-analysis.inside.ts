import AnalysisWorker from "./analyse.worker?worker&inline";

/** Start the worker, whose code is in the page itself: this module takes the other's place in a file that holds a run. */
export function startAnalysis(): Worker {
  return new AnalysisWorker();
}
