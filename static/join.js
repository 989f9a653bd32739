// Joins the class with the typed code, or with the secret that the link of the QR code has behind its "#".
// Either goes in the body of one request; the answer sets a cookie that no script can read, and the page opens.
const form = document.getElementById("join");
const field = document.getElementById("code");
const button = form.querySelector("button");
const problem = document.getElementById("problem");

const JOINED = "lamplighter.joined";
/** Milliseconds after joining within which this page again means that the browser keeps no cookie. */
const SOON = 20_000;

const ENGLISH = {
  wrong: "That is not the code. Check the big screen again: the code can change.",
  link: "This link has expired. Scan the code on the big screen again, or enter it here.",
  door: "The door is closed. Ask the presenter to open it, then press Join.",
  full: "The class is full. Ask the presenter.",
  wait: (seconds) => `Too many tries. You can try again in ${seconds} s.`,
  again: "Now try again.",
  silent: "The class is not answering. Is this device on the same Wi-Fi?",
  odd: "That did not work. Try again in a moment.",
  old: "This browser is too old to show the class. Update it, or use another one.",
  cookie: "You joined, but your browser forgot it. Allow cookies for this page, or leave private mode.",
};
const GERMAN = {
  wrong: "Das ist nicht der Code. Sieh noch einmal auf die Leinwand: Er kann sich ändern.",
  link: "Dieser Link gilt nicht mehr. Scanne den Code auf der Leinwand noch einmal, oder gib ihn hier ein.",
  door: "Die Tür ist zu. Bitte darum, sie zu öffnen, und drück dann auf „Beitreten“.",
  full: "Die Klasse ist voll. Sag es der Person, die vorführt.",
  wait: (seconds) => `Zu viele Versuche. In ${seconds} s geht es wieder.`,
  again: "Versuch es jetzt noch einmal.",
  silent: "Die Klasse antwortet nicht. Ist dieses Gerät im selben WLAN?",
  odd: "Das hat nicht geklappt. Versuch es gleich noch einmal.",
  old: "Dieser Browser ist zu alt für die Klasse. Aktualisiere ihn, oder nimm einen anderen.",
  cookie:
    "Du warst drin, aber dein Browser hat es vergessen. Erlaube Cookies für diese Seite, oder verlass den privaten Modus.",
};
/** What the page itself says in German, by element. */
const GERMAN_PAGE = {
  title: "Lamplighter: der Klasse beitreten",
  h1: "Der Klasse beitreten",
  label: "Gib den Code auf der Leinwand ein",
  button: "Beitreten",
  "form + p": "Sieh auf deinem eigenen Bildschirm zu, wie ein Sprachmodell lernt. Ohne Namen und ohne Konto.",
};
const german = navigator.languages.find((each) => /^(de|en)\b/.test(each))?.startsWith("de");
const WORDS = german ? GERMAN : ENGLISH;
if (german) {
  document.documentElement.lang = "de";
  for (const [element, text] of Object.entries(GERMAN_PAGE)) document.querySelector(element).textContent = text;
}

function remember() {
  try {
    sessionStorage.setItem(JOINED, String(Date.now()));
  } catch {
    // Without storage only a hint is lost.
  }
}

function cameBack() {
  try {
    return Date.now() - Number(sessionStorage.getItem(JOINED)) < SOON;
  } catch {
    return false;
  }
}

/** Count down the seconds in which no code is taken; then let the person go on. */
function wait(seconds) {
  if (seconds <= 0) {
    problem.textContent = WORDS.again;
    button.disabled = false;
    return;
  }
  problem.textContent = WORDS.wait(seconds);
  setTimeout(() => wait(seconds - 1), 1_000);
}

async function join(code, wrong) {
  button.disabled = true;
  problem.textContent = "";
  let answer;
  try {
    answer = await fetch("api/class/join", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ code }),
    });
  } catch {
    problem.textContent = WORDS.silent;
    button.disabled = false;
    return;
  }
  if (answer.ok) {
    remember();
    // What else is in the address is the view that a link has named.
    location.replace(location.pathname + location.search);
    return;
  }
  if (answer.status === 429) {
    wait(Math.max(1, Math.min(600, Number(answer.headers.get("retry-after")) || 10)));
    return;
  }
  // A code that is no text for the server is a wrong one, too.
  const words = { 401: wrong, 422: wrong, 403: WORDS.door, 409: WORDS.full };
  problem.textContent = words[answer.status] ?? WORDS.odd;
  button.disabled = false;
  field.select();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  void join(field.value, WORDS.wrong);
});

/** Join with the secret of the address, if it has one, and remove it from the address bar, where others could read it. */
function joinByLink() {
  const secret = location.hash.slice(1);
  if (!secret) return;
  history.replaceState(null, "", location.pathname + location.search);
  void join(secret, WORDS.link);
}

/** Return whether this browser can open what the class is sent. */
function canWatch() {
  try {
    return Boolean(new DecompressionStream("deflate-raw"));
  } catch {
    return false;
  }
}

if (!canWatch()) problem.textContent = WORDS.old;
if (cameBack() && !location.hash) problem.textContent = WORDS.cookie;
addEventListener("hashchange", joinByLink);
joinByLink();
