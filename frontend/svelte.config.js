import { vitePreprocess } from "@sveltejs/vite-plugin-svelte";

/** The class that ties a component's styles to it: short, since it stands in every element it styles. */
const cssHash = ({ css, hash }) => `s${hash(css).slice(-5)}`;

export default { preprocess: vitePreprocess(), compilerOptions: { runes: true, cssHash } };
