// What script adds to every page: keys, the help dialog, hidden columns,
// contents that follow the reader, times in the reader's zone, copy buttons,
// and math and diagrams on the pages that have them. Needs no build.

const root = document.documentElement, body = document.body;
const $ = (selector, from = document) => from.querySelector(selector);
const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
root.classList.add("script");

// Columns that the reader has hidden stay hidden.
const store = { get: (k) => { try { return localStorage.getItem(k); } catch { return null; } }, set: (k, v) => { try { localStorage.setItem(k, v); } catch { /* private mode */ } } };
for (const column of ["hide-tree", "hide-toc"]) if (store.get(column) === "1") body.classList.add(column);
const toggle = (column) => store.set(column, body.classList.toggle(column) ? "1" : "0");

// The message of a redirect is shown once.
const here = new URL(location.href);
if (here.searchParams.has("done") || here.searchParams.has("from") && body.classList.contains("view-page")) {
  here.searchParams.delete("done");
  if (body.classList.contains("view-page")) here.searchParams.delete("from");
  history.replaceState(null, "", here);
}

// A save that led to its page has succeeded: its draft has served.
try {
  const saving = sessionStorage.getItem("saving");
  if (saving && body.classList.contains("view-page")) localStorage.removeItem(saving);
  if (!body.classList.contains("view-edit") && !body.classList.contains("view-conflict")) sessionStorage.removeItem("saving");
} catch { /* private mode */ }

// Colours: at once, and remembered by the same cookie that the form sets.
$("#Theme")?.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  event.preventDefault();
  const choice = button.value;
  if (choice === "auto") delete root.dataset.theme; else root.dataset.theme = choice;
  $('meta[name="color-scheme"]').content = choice === "auto" ? "light dark" : choice;
  for (const b of $$("#Theme button")) b.toggleAttribute("aria-pressed", false), b === button && b.setAttribute("aria-pressed", "true");
  fetch($("#Theme").action, { method: "POST", body: new URLSearchParams({ theme: choice }), redirect: "manual" });
  dispatchEvent(new Event("themechange"));
});

// A click elsewhere or Escape closes menus.
addEventListener("click", (event) => { for (const m of $$("details.menu[open]")) if (!m.contains(event.target)) m.open = false; });
addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const m of $$("details.menu[open]")) { m.open = false; m.firstElementChild.focus(); }
  if (location.hash === "#Tree") location.hash = "#Main";
});
addEventListener("click", (event) => { if (location.hash === "#Tree" && !event.target.closest("#Tree, #OpenTree")) { event.preventDefault(); location.hash = "#Main"; } });

// Keys.
const help = $("#Help");
const openHelp = () => help && !help.open && help.showModal();
$("#OpenHelp")?.addEventListener("click", (event) => { event.preventDefault(); event.target.closest("details").open = false; openHelp(); });
help?.addEventListener("click", (event) => { if (event.target === help) help.close(); });
const go = (id) => { const a = $(id); if (a) location.href = a.href; };
const keys = {
  "/": () => ($("#Query") ?? $("#Find"))?.focus(),
  e: () => go("#Edit"), h: () => go("#History"), c: () => go("#Create"),
  "[": () => innerWidth > 928 ? toggle("hide-tree") : location.hash = location.hash === "#Tree" ? "#Main" : "#Tree",
  "]": () => toggle("hide-toc"), "?": openHelp,
};
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || help?.open) return;
  if (event.composedPath()[0].closest?.("input, textarea, select, [contenteditable]")) return;
  const act = keys[event.key];
  if (act) { event.preventDefault(); act(); }
});

// Times in the reader's zone and language; the exact one stays as a tooltip.
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const relative = new Intl.RelativeTimeFormat(root.lang, { numeric: "auto" });
const steps = [[60, "second", 1], [3600, "minute", 60], [86400, "hour", 3600], [7 * 86400, "day", 86400]];
export function times(from = document) {
  for (const t of $$("time[datetime]", from)) {
    const at = new Date(t.dateTime), age = (Date.now() - at) / 1000;
    if (isNaN(at)) continue;
    t.title = full.format(at);
    const step = age >= 0 && steps.find(([limit]) => age < limit);
    t.textContent = "clock" in t.dataset ? clock.format(at) : step ? relative.format(-Math.floor(age / step[2]), step[1]) : full.format(at);
  }
}
times();

// Copy buttons on code.
function copyButton(pre) {
  if ($(".copy-button", pre) || pre.classList.contains("mermaid")) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy-button";
  button.textContent = body.dataset.copy;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(($("code", pre) ?? pre).textContent);
    button.textContent = body.dataset.copied;
    setTimeout(() => button.textContent = body.dataset.copy, 1500);
  });
  pre.append(button);
}

// Math and diagrams: their programs are fetched where a page needs them.
export async function enrich(from) {
  for (const pre of $$(".prose pre, pre.copy", from)) copyButton(pre);
  const math = $$(".math", from).filter((m) => !$("math", m));
  if (math.length && body.dataset.math) (await import(body.dataset.math)).typeset(math);
  if (body.dataset.diagram) for (const pre of $$("pre.mermaid", from)) draw(pre);
}

// A diagram is drawn in a frame of its own, sandboxed and of an opaque origin;
// the source goes in and its height comes out by messages.
let drawn = 0;
function draw(pre) {
  const source = pre.textContent, frame = document.createElement("iframe");
  frame.className = "diagram";
  frame.setAttribute("sandbox", "allow-scripts");
  frame.title = body.dataset.diagramLabel;
  frame.src = body.dataset.diagram;
  frame.style.cssText = "height: 1px; visibility: hidden; position: absolute";
  const id = ++drawn;
  const dark = () => getComputedStyle(root).getPropertyValue("--bg").trim() === "#16191b";
  const post = () => frame.contentWindow?.postMessage({ id, source, dark: dark() }, "*");
  addEventListener("message", (event) => {
    if (event.source !== frame.contentWindow) return;
    if (event.data?.ready) post();
    else if (event.data?.id === id && event.data.height > 0) { frame.style.cssText = `height: ${Math.min(event.data.height, 4000)}px`; pre.hidden = true; }
    else if (event.data?.id === id && event.data.error) frame.remove();
  });
  addEventListener("themechange", post);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", post);
  pre.after(frame);
}
enrich(document);

// Contents follow the reader.
const links = new Map($$(".toc a").map((a) => [decodeURIComponent(a.hash.slice(1)), a]));
if (links.size) {
  const heads = [...links.keys()].map((id) => document.getElementById(id)).filter(Boolean);
  let waiting = false;
  const follow = () => {
    waiting = false;
    let now = heads[0];
    for (const h of heads) if (h.getBoundingClientRect().top < 120) now = h;
    if (innerHeight + scrollY >= document.body.scrollHeight - 4) now = heads.at(-1);
    for (const [id, a] of links) a.classList.toggle("now", id === now?.id);
  };
  addEventListener("scroll", () => { if (!waiting) { waiting = true; requestAnimationFrame(follow); } }, { passive: true });
  follow();
}

// The tree remembers what was opened, and shows the present page.
const opened = new Set(JSON.parse(store.get("tree") ?? "[]"));
for (const d of $$(".tree details[data-path]")) {
  if (opened.has(d.dataset.path)) d.open = true;
  d.addEventListener("toggle", () => { opened[d.open ? "add" : "delete"](d.dataset.path); store.set("tree", JSON.stringify([...opened].slice(-200))); });
}
$(".tree [aria-current]")?.scrollIntoView({ block: "nearest" });

// In a list of versions A is older than B.
$(".history")?.addEventListener("change", () => {
  const rows = $$(".history tbody tr"), at = (name) => rows.findIndex((r) => $(`[name="${name}"]`, r)?.checked);
  const to = at("to"), from = at("from");
  rows.forEach((r, i) => { $('[name="from"]', r).style.visibility = i <= to ? "hidden" : ""; $('[name="to"]', r).style.visibility = from >= 0 && i >= from ? "hidden" : ""; });
});

// Drop and paste on the page of attachments.
const upload = $("#Upload");
if (upload) {
  const pick = $("#Pick", upload);
  const take = (files) => { if (files?.length) { pick.files = files; upload.requestSubmit(); } };
  addEventListener("dragover", (event) => { event.preventDefault(); upload.classList.add("dropping"); });
  addEventListener("dragleave", () => upload.classList.remove("dropping"));
  addEventListener("drop", (event) => { event.preventDefault(); upload.classList.remove("dropping"); take(event.dataTransfer?.files); });
  addEventListener("paste", (event) => take(event.clipboardData?.files));
}
