/** The worker that analyses layouts. */

import type { GroupMembers } from "./districts";
import { analyseLayout } from "./analyse";
import type { AnalysisJob } from "./analyser";

let members: GroupMembers = { ids: new Uint32Array(0), starts: new Uint32Array(1) };

onmessage = ({ data }: MessageEvent<AnalysisJob>) => {
  members = data.members ?? members;
  const found = analyseLayout(data.placement, members);
  const { density, grid } = found;
  const transfer = [density.heights.buffer, grid.starts.buffer, grid.ids.buffer];
  postMessage(found, { transfer });
};
