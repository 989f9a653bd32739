/**
 * Rules for imports in `src/`. dependency-cruiser does not see what a component imports as types only;
 * `eslint.config.js` holds those to the same layers.
 */

import { FEATURE_ARROWS, LATE, LAYERS } from "./layers.js";

const layers = Object.entries(LAYERS).map(([room, below]) => ({
  name: `${room} knows only what is below`,
  severity: "error",
  from: { path: `^src/${room}/` },
  to: { path: "^src/", pathNot: `^src/(${[room, ...below].join("|")})/` },
}));

const features = Object.entries(FEATURE_ARROWS).map(([feature, others]) => ({
  name: `${feature} knows only the features that layers.js names`,
  severity: "error",
  from: { path: `^src/features/${feature}/` },
  to: { path: "^src/features/", pathNot: `^src/features/(${[feature, ...others].join("|")})/` },
}));

const late = `^src/(${LATE.join("|")})`;

export default {
  forbidden: [
    { name: "no circles", severity: "error", from: {}, to: { circular: true } },
    ...layers,
    {
      name: "nothing imports app",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/(app/|main\\.ts$)" },
      to: { path: "^src/app/" },
    },
    {
      name: "a store does not know the whole page's state",
      severity: "error",
      from: { path: "^src/state/" },
      to: { path: "^src/state/app-state" },
    },
    {
      name: "a feature knows no other feature",
      severity: "error",
      from: { path: `^src/features/(?!(?:${Object.keys(FEATURE_ARROWS).join("|")})/)([^/]+)/` },
      to: { path: "^src/features/", pathNot: "^src/features/$1/" },
    },
    ...features,
    {
      name: "only figures know Plotly",
      comment: "The page itself only says when Plotly may load.",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/(charts|map)/|^src/app/Page\\.svelte$" },
      to: { path: "^src/charts/plotly/" },
    },
    {
      name: "what is opened later loads late",
      comment: "Use import(), so that it is fetched when it is first asked for.",
      severity: "error",
      // A file that holds a run is one script, in which nothing is late.
      from: { path: "^src/", pathNot: `${late}|\\.test\\.ts$|^src/packed/` },
      to: { path: late, dependencyTypesNot: ["type-only", "dynamic-import"] },
    },
    {
      name: "only rest-types names the schemas",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/api/rest-types" },
      to: { path: "^src/api/generated/schema" },
    },
    {
      name: "no orphans",
      severity: "error",
      from: { orphan: true, pathNot: "\\.(d|test)\\.ts$" },
      to: {},
    },
  ],
  options: {
    tsPreCompilationDeps: "specify",
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
  },
};
