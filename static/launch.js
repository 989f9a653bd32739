// Runs once, in the page that answers a launch: it puts the session's key where only the pages of this very address
// can read it, and opens the page, on the run that the launch names if it names one. The page sends the key with every request (`frontend/src/api/session-key.ts`).
const key = document.querySelector('meta[name="lamplighter-key"]').content;
const page = new URL("./", location.href);
const run = new URLSearchParams(location.search).get("run");
if (run) page.search = new URLSearchParams({ run });
localStorage.setItem(`lamplighter.key ${page.pathname}`, key);
location.replace(page);
