// What script adds to searching: suggestions below the header's field, results
// while one types, and keys to go through them. Needs no build.

const $ = (selector, from = document) => from.querySelector(selector);
const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
const later = (ms) => new Promise((done) => setTimeout(done, ms));
const plainKey = (event) => !event.ctrlKey && !event.metaKey && !event.altKey && !event.isComposing;

// marked is text with its matches marked, as nodes; nothing in it is markup.
const marked = (spans) => spans.map(({ text, match }) => {
  if (!match) return document.createTextNode(text);
  const mark = document.createElement("mark");
  mark.textContent = text;
  return mark;
});

// Suggestions: a combobox with a listbox (WAI-ARIA Authoring Practices 1.2,
// "Editable Combobox With List Autocomplete"). The focus stays in the field; the
// last option is the search itself.
function suggestions(form) {
  const input = $("input", form), list = document.createElement("ul"), said = document.createElement("span");
  let chosen = -1, asked = "", timer = 0, running = null;
  list.id = "Suggestions";
  list.hidden = true;
  said.className = "hidden";
  const attributes = (node, values) => { for (const [name, value] of Object.entries(values)) node.setAttribute(name, value); };
  attributes(list, { role: "listbox", "aria-label": form.dataset.list });
  attributes(said, { role: "status", "aria-live": "polite" });
  attributes(input, { role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id, "aria-haspopup": "listbox" });
  form.append(list, said);

  const choose = (n) => {
    chosen = n;
    [...list.children].forEach((option, i) => option.setAttribute("aria-selected", i === n));
    if (n < 0) return input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-activedescendant", list.children[n].id);
    list.children[n].scrollIntoView({ block: "nearest" });
  };
  const close = () => { clearTimeout(timer); running?.abort(); choose(-1); list.hidden = true; input.setAttribute("aria-expanded", "false"); };
  const option = (kind, children, url) => {
    const item = document.createElement("li");
    attributes(item, { role: "option", id: `Suggestion${list.children.length}`, "aria-selected": "false" });
    item.className = kind;
    item.dataset.url = url ?? "";
    item.append(...children);
    list.append(item);
  };
  const show = (found) => {
    list.replaceChildren();
    for (const { title, path, page, url } of found) {
      const name = document.createElement("span"), where = document.createElement("small");
      name.append(...marked(title));
      where.append(...marked(path));
      option("page", title.map((s) => s.text).join("") === page ? [name] : [name, " ", where], url);
    }
    option("all", [form.dataset.all.replace("{1}", asked)]);
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    choose(-1);
    said.textContent = [form.dataset.none, form.dataset.single][found.length] ?? form.dataset.some.replace("{1}", found.length);
  };
  const ask = async () => {
    running?.abort();
    running = new AbortController();
    try {
      const answer = await fetch(`${form.dataset.suggest}?q=${encodeURIComponent(asked)}`, { signal: running.signal, headers: { Accept: "application/json" } });
      if (answer.ok) show((await answer.json()).suggestions); else close();
    } catch (err) { if (err.name !== "AbortError") close(); }
  };
  const typed = () => {
    clearTimeout(timer);
    asked = input.value.trim();
    if (!asked) return close();
    timer = setTimeout(ask, 80);
  };
  const go = (n, elsewhere) => {
    const { url } = list.children[n].dataset;
    if (!url) form.requestSubmit(); else if (elsewhere) open(url, "_blank", "noopener"); else location.href = url;
  };

  input.addEventListener("input", (event) => { if (!event.isComposing) typed(); });
  input.addEventListener("compositionend", typed);
  input.addEventListener("focus", () => { if (input.value.trim() && list.hidden) typed(); });
  input.addEventListener("blur", close);
  form.addEventListener("submit", close);
  input.addEventListener("keydown", (event) => {
    if (!plainKey(event)) return;
    const n = list.children.length, at = chosen + 1; // 0 is the field itself
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) return typed();
      choose((at + (event.key === "ArrowDown" ? 1 : n)) % (n + 1) - 1);
    } else if (event.key === "Enter" && chosen >= 0 && !list.hidden) {
      event.preventDefault();
      go(chosen);
    } else if (event.key === "Escape") {
      if (list.hidden) return input.blur();
      event.preventDefault(); // the text stays
      close();
    }
  });
  list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
  list.addEventListener("pointermove", (event) => { const item = event.target.closest("li"); if (item) choose([...list.children].indexOf(item)); });
  for (const kind of ["click", "auxclick"]) list.addEventListener(kind, (event) => {
    const item = event.target.closest("li");
    if (item && event.button < 2) go([...list.children].indexOf(item), event.button === 1 || event.ctrlKey || event.metaKey);
  });
}

// Results while one types. The server makes the part of the page below the form;
// the address follows, so that a reload or a link shows the same.
function instant(form) {
  const field = $("#Query"), found = $("#Found"), live = $("#Live"), narrow = $("#Narrow");
  let timer = 0, telling = 0, waiting = 0, running = null, shown = address(new URL(location.href).searchParams).href;

  function address(data = new FormData(form)) {
    const url = new URL(form.action);
    for (const name of ["q", "mode", "case"]) {
      const value = (data.get(name) ?? "").trim();
      if (value) url.searchParams.set(name, value);
    }
    return url;
  }
  const tell = (text) => { clearTimeout(telling); telling = setTimeout(() => { live.textContent = text; }, 400); };
  const place = async (html) => {
    found.innerHTML = html; // made by the server's templates, as the whole page is
    tell(($("#Count", found) ?? $("#Fault", found))?.textContent.trim() ?? "");
    wait();
    (await import($('script[src*="/assets/app."]').src)).times(found);
  };
  const load = async (url) => {
    running?.abort();
    clearTimeout(waiting);
    const mine = running = new AbortController();
    const ask = new URL(url);
    ask.searchParams.set("fragment", "");
    found.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(ask, { signal: mine.signal });
      if (answer.status !== 200 && answer.status !== 422) throw new Error(answer.status);
      const html = await answer.text();
      // What is typed half may be wrong for a moment only.
      if (answer.status === 422 && document.activeElement === field) timer = setTimeout(place, 700, html); else await place(html);
    } catch (err) {
      if (err.name === "AbortError") return;
      const fault = document.createElement("p");
      fault.className = "notice bad";
      fault.setAttribute("role", "alert");
      fault.textContent = form.dataset.failed;
      found.replaceChildren(fault);
      shown = "";
    }
    if (running === mine) found.removeAttribute("aria-busy");
  };
  const update = (after) => {
    clearTimeout(timer);
    const url = address();
    if (url.href === shown) return;
    timer = setTimeout(() => {
      shown = url.href;
      history.replaceState(history.state, "", url);
      document.title = (field.value.trim() ? field.value.trim() + " · " : "") + form.dataset.title;
      load(url);
    }, after);
  };
  // A wiki that is still being read is asked again until it answers.
  function wait() { clearTimeout(waiting); if ($("#Building", found)) waiting = setTimeout(() => load(location.href), 500); }

  const pause = () => form.elements.mode.value ? 300 : 120; // meaning costs more than words
  field.addEventListener("input", (event) => { if (!event.isComposing) update(pause()); });
  field.addEventListener("compositionend", () => update(pause()));
  form.addEventListener("change", (event) => { if (event.target !== field) update(0); });
  form.addEventListener("submit", (event) => { event.preventDefault(); if (address().href === shown) shown = ""; update(0); });
  narrow.addEventListener("submit", () => {
    for (const hidden of $$('input[type="hidden"]', narrow)) hidden.remove();
    for (const [name, value] of address().searchParams) {
      const hidden = document.createElement("input");
      Object.assign(hidden, { type: "hidden", name, value });
      narrow.prepend(hidden);
    }
  });
  addEventListener("keydown", (event) => keys(event, field, found));
  update(0); // what was typed before this script was there
  tell($("#Count", found)?.textContent.trim() ?? "");
  wait();
}

// Arrows, j and k go through the results, Enter opens one as any link, Escape goes
// back to the field, and out of it.
function keys(event, field, found) {
  if (!plainKey(event) || event.defaultPrevented || $("dialog[open]")) return;
  const hits = $$(".hit h2 a", found), at = hits.indexOf(document.activeElement), here = document.activeElement === field;
  const elsewhere = !here && event.composedPath()[0].closest?.("input, textarea, select, [contenteditable]");
  const step = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 }[event.key];
  if (elsewhere) return;
  if (event.key === "Escape" && (here || at >= 0)) {
    event.preventDefault(); // else the browser empties the field
    if (here) field.blur(); else field.focus();
  } else if (step && (event.key.length > 1 ? here || at >= 0 : !here)) {
    if (here && step < 0 || !hits.length) return;
    event.preventDefault();
    const next = at + step;
    if (next < 0) return void field.focus();
    const link = hits[Math.min(next, hits.length - 1)];
    link.focus();
    link.closest(".hit").scrollIntoView({ block: "nearest" });
  }
}

// The progress of an index, for its owners.
async function progress(box) {
  while ($("#Working", box)) {
    await later(1000);
    try {
      const state = await (await fetch(box.dataset.status)).json();
      if (state.state === "in_progress") {
        const told = $("#Working span", box), number = new Intl.NumberFormat(document.documentElement.lang);
        told.textContent = told.dataset.text.replace("{1}", number.format(state.done)).replace("{2}", number.format(state.total));
        Object.assign($("progress", box), { max: state.total || 1, value: state.done });
        continue;
      }
      const fresh = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
      box.replaceChildren(...$("section[data-status]", fresh).childNodes);
    } catch { return; }
  }
}

const find = $(".find[data-suggest]"), ask = $("#Ask"), box = $("section[data-status]");
if (find) suggestions(find);
if (ask) instant(ask);
if (box) progress(box);
