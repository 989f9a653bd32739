import AnalysisWorker from "./analyse.worker?worker&inline";

/**
 * Start the worker, whose code is inside the page: in a packed page this module replaces `start-analysis.ts`.
 */
export function startAnalysis(): Worker {
  return new AnalysisWorker();
}
