import { mount } from "svelte";
import "@fontsource-variable/inter/wght.css";
import "./app/page.css";
import Page from "./app/Page.svelte";
import "./model/theme";
import { chooseLanguage, LANGUAGE_KEY, type Language } from "./model/language";
import { FONT_FAMILY } from "./model/typeface";
import { t } from "./strings";
import { install, type Translation } from "./strings/translation";

/** The texts of each other language; English is built in. */
const TRANSLATIONS: Record<Exclude<Language, "en">, () => Promise<{ translation: Translation }>> = {
  de: () => import("./app/german"),
};
const named = new URLSearchParams(location.search).get("lang");
const language = chooseLanguage([named, storedLanguage(), ...navigator.languages]);
document.documentElement.lang = language;

// Texts on the map are measured once, so their typeface must be loaded by then; this limits the wait on a
// slow network, in ms.
const MAX_WAIT = 500;
const late = new Promise((resolve) => setTimeout(resolve, MAX_WAIT));
const typeface = Promise.race([document.fonts.load(`16px ${FONT_FAMILY}`), late]);
const texts =
  language === "en"
    ? null
    : TRANSLATIONS[language]().then(({ translation }) => install(translation));
void Promise.allSettled([typeface, texts]).then(([, { status }]) => {
  // Number formats of another language would mislead in English sentences.
  if (status === "rejected") document.documentElement.lang = "en";
  const target = document.getElementById("page")!;
  if (!/[?&]teacher=/.test(location.search)) mount(Page, { target });
  else
    void import("./app/late-panels").then(
      ({ TeacherPage }) => mount(TeacherPage, { target }),
      () => (target.textContent = t.lazy.failed),
    );
});

function storedLanguage(): string | null {
  try {
    return localStorage.getItem(LANGUAGE_KEY);
  } catch {
    return null;
  }
}
