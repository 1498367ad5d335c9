// Runs once, when the page is there (`element` is the bar at the top, `trigger` reports to Python).
// Every button carries what it does: data-act ("say", "rate", "why", "drop", "open", "fresh", "wipe").
const veiled = () => document.querySelector("#tb-main.tb-veiled") !== null;
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const phone = matchMedia("(max-width: 900px)");
const busy = () => document.querySelector("#tb-line .tb-busy") !== null;

// Light or dark: the system's choice, unless this visitor chose.
const paint = (dark) => document.body.classList.toggle("dark", dark);
const chosen = localStorage.getItem("tastebud.theme");
if (chosen) paint(chosen === "dark");
const switchTheme = () => {
  paint(!document.body.classList.contains("dark"));
  localStorage.setItem("tastebud.theme", document.body.classList.contains("dark") ? "dark" : "light");
};

// The drawers of a phone; the style sheet hides a closed one, also from the keyboard.
let opener = null;
const setDrawer = (side) => {
  for (const name of ["left", "right"]) {
    document.getElementById(`tb-${name}`).classList.toggle("tb-open", name === side);
    element.querySelector(`[data-drawer=${name}]`).setAttribute("aria-expanded", String(name === side));
  }
  document.getElementById("tb-main").classList.toggle("tb-veiled", side !== null);
  if (side) document.querySelector(`#tb-${side} button`)?.focus();
  else opener?.focus();
  if (!side) opener = null;
};
phone.addEventListener("change", () => setDrawer(null));

const reveal = (button) => {
  const target = document.getElementById(button.dataset.reveal);
  target.hidden = !target.hidden;
  document.querySelector(`[aria-controls=${target.id}]`).setAttribute("aria-expanded", String(!target.hidden));
  target.scrollIntoView({ block: "nearest" });
};

let unfolded = null; // the "why?" that was asked last: its card is brought into view once it has opened
const showUnfolded = () => {
  const button = unfolded && document.querySelector(`[data-key="${CSS.escape(unfolded)}"][aria-expanded=true]`);
  if (!button) return;
  unfolded = null;
  button.closest(".tb-card").scrollIntoView({ block: "nearest", behavior: calm.matches ? "instant" : "smooth" });
};

const act = ({ act: name, key, ...data }) => {
  if (busy()) return; // one thing at a time: a reply is being written
  if (["say", "open", "fresh", "wipe"].includes(name)) setDrawer(null);
  if (name === "say") trigger("say", data);
  if (name === "rate") trigger("rate", data);
  if (name === "why") { unfolded = key; trigger("why", data); }
  if (name === "drop") trigger("drop", data);
  if (name === "open") trigger("open", data);
  if (name === "fresh") trigger("fresh", data);
  if (name === "wipe") trigger("wipe", data);
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) {
    if (veiled() && !event.target.closest(".tb-open")) setDrawer(null);
    return;
  }
  if (button.dataset.act) act({ ...button.dataset });
  else if (button.dataset.reveal) reveal(button);
  else if ("themeSwitch" in button.dataset) switchTheme();
  else if (button.dataset.drawer) {
    const open = button.getAttribute("aria-expanded") === "true";
    opener = button;
    setDrawer(open ? null : button.dataset.drawer);
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && veiled()) setDrawer(null);
});

// The slider reports where it was left, not every step on the way there.
let settling = 0;
document.addEventListener("change", ({ target }) => {
  if (!("reach" in target.dataset)) return;
  clearTimeout(settling);
  settling = setTimeout(() => trigger("reach", { value: target.value }), 300);
});

// A part of the page that is drawn anew takes the focus with it: give it back to the same button.
let focused = null;
document.addEventListener("focusin", (event) => { focused = event.target.dataset?.key ?? null; });
document.addEventListener("pointerdown", (event) => { if (!event.target.closest("[data-key]")) focused = null; });
const restoreFocus = () => {
  if (focused === null || (document.activeElement && document.activeElement !== document.body)) return;
  const same = document.querySelector(`[data-key="${CSS.escape(focused)}"]`);
  if (same) same.focus({ preventScroll: true });
  else document.querySelector("#tb-box textarea")?.focus({ preventScroll: true });
  focused = same ? focused : null;
};

// A new message goes to the top of the talk and stays there while its answer is written below it.
let count = 0;
let open = "";
const follow = () => {
  const all = document.querySelectorAll("#tb-chat .tb-said");
  const current = document.querySelector(".tb-past[aria-current]")?.dataset.value ?? "";
  const moved = current !== open && open !== "";
  const grown = all.length === count + 1 && count > 0 && !moved;
  open = current;
  if (all.length === count && !moved) return;
  count = all.length;
  all[count - 1]?.scrollIntoView({ block: "start", behavior: grown && !calm.matches ? "smooth" : "instant" });
};

// Gradio repeats the markup of a message as its label and announces each token; a screen reader should
// hear the words, once, when they are complete.
const hush = () => {
  document.querySelector("#tb-chat [role=log]")?.setAttribute("aria-busy", String(busy()));
  for (const each of document.querySelectorAll("#tb-chat [data-testid][aria-label]")) each.removeAttribute("aria-label");
};
const settle = () => { restoreFocus(); follow(); hush(); showUnfolded(); };
new MutationObserver(settle).observe(document.body, { childList: true, subtree: true });
