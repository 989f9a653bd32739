import { mount } from "svelte";
import "@fontsource-variable/inter/wght.css";
import "./app/page.css";
import Page from "./app/Page.svelte";
import { FONT_FAMILY } from "./model/typeface";

// Texts on the map are measured once, so their typeface has to be there; a slow network may keep it from nobody for long.
const LONGEST_WAIT = 500;
const late = new Promise((resolve) => setTimeout(resolve, LONGEST_WAIT));
void Promise.race([document.fonts.load(`16px ${FONT_FAMILY}`), late])
  .catch(() => undefined)
  .then(() => mount(Page, { target: document.getElementById("page")! }));
