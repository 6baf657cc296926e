// Search in history: with script the parts that follow are fetched by themselves and
// set below what was found, until the end, until Stop is pressed, or until many were
// found. Without, "Look further" is a link. Needs no build.

const $ = (selector, from = document) => from.querySelector(selector);
const { times } = await import($('script[src*="/assets/app."]').src); // the one that runs already
const area = $("#Looking"), found = $("#Found"), further = $("#Further");
const many = 500;
let running = false, stop = null, limit = many;

const pause = (ms, signal) => new Promise((done) => { const timer = setTimeout(done, ms); signal.addEventListener("abort", () => { clearTimeout(timer); done(); }); });

function button(text, act) {
  const b = document.createElement("button");
  b.type = "button";
  b.className = "button";
  b.textContent = text;
  b.addEventListener("click", act);
  return b;
}

// take sets what a fetched part holds in its place and gives the address of the next.
function take(page) {
  const part = $("#Looking", page);
  if (!part) return null;
  times(part);
  for (const hit of part.querySelectorAll("#Found > li")) found.append(document.adoptNode(hit));
  for (const id of ["#Progress", "#Bar"]) {
    const now = $(id, area), next = $(id, part);
    if (now && next) now.replaceWith(document.adoptNode(next));
    else if (next) found.before(document.adoptNode(next));
    else now?.remove();
  }
  const left = $(".skipped", part);
  if (left && !$(".skipped", area)) further.before(document.adoptNode(left));
  const nothing = $("#Nothing", part);
  if (nothing && !found.children.length) further.before(document.adoptNode(nothing));
  return $("#Further a", part)?.href ?? null;
}

async function look(next) {
  running = true;
  stop = new AbortController();
  further.replaceChildren(button(area.dataset.stop, () => stop.abort()));
  let failed = 0;
  while (next && !stop.signal.aborted && found.children.length < limit) {
    try {
      const answer = await fetch(next, { signal: stop.signal, headers: { Accept: "text/html" } });
      if (answer.status === 503 && failed++ < 20) { await pause(2000, stop.signal); continue; }
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (!answer.ok) { const said = $("#Looking .notice", page); if (said) further.before(document.adoptNode(said)); break; }
      failed = 0;
      next = take(page);
    } catch { if (stop.signal.aborted || failed++ > 4) break; await pause(2000, stop.signal); }
  }
  running = false;
  further.replaceChildren();
  if (!next) return;
  const said = document.createElement("span");
  said.className = "dim";
  said.setAttribute("role", "status");
  said.textContent = found.children.length >= limit ? area.dataset.paused : area.dataset.stopped;
  limit = found.children.length + many;
  further.append(button(area.dataset.go, () => look(next)), said);
}

// The address stays that of the first part, so that a reload begins again.
const first = $("a", further)?.href;
if (first && !new URL(location.href).searchParams.has("after") && !$(".notice.bad", area)) look(first);
addEventListener("keydown", (event) => { if (event.key === "Escape" && running) stop.abort(); });
