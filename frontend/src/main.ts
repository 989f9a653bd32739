import { mount } from "svelte";
import "./app/page.css";
import Page from "./app/Page.svelte";

export default mount(Page, { target: document.getElementById("page")! });
