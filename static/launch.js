// Runs once, in the page that answers a launch: it puts the session's key where only the pages of this very address
// can read it, and opens the page. The page sends the key with every request (`frontend/src/api/session-key.ts`).
const key = document.querySelector('meta[name="lamplighter-key"]').content;
const page = new URL("./", location.href);
localStorage.setItem(`lamplighter.key ${page.pathname}`, key);
location.replace(page);
