import { mount } from "svelte";
import "./page.css";
import Page from "./Page.svelte";

export default mount(Page, { target: document.getElementById("page")! });
