import { mount } from "svelte";
import "@fontsource-variable/inter/wght.css";
import "./app/page.css";
import Page from "./app/Page.svelte";

export default mount(Page, { target: document.getElementById("page")! });
