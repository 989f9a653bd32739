import { vitePreprocess } from "@sveltejs/vite-plugin-svelte";

/** Return the class that ties a component's styles to it. It is short, because every styled element carries it. */
/** @type {NonNullable<import("svelte/compiler").CompileOptions["cssHash"]>} */
const cssHash = ({ css, hash }) => `s${hash(css).slice(-5)}`;

export default { preprocess: vitePreprocess(), compilerOptions: { runes: true, cssHash } };
