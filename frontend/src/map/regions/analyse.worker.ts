/** Worker that receives a layout and returns its analysis. */

import type { Members } from "./districts";
import { survey } from "./analyse";
import type { Commission } from "./analyser";

let members: Members = { ids: new Uint32Array(0), starts: new Uint32Array(1) };

onmessage = ({ data }: MessageEvent<Commission>) => {
  members = data.members ?? members;
  const found = survey(data.placement, members);
  const { relief, grid } = found;
  const transfer = [relief.heights.buffer, grid.starts.buffer, grid.ids.buffer];
  postMessage(found, { transfer });
};
