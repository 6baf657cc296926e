// The editor: CodeMirror over the form's text area, which stays the thing that
// is sent. It lives in a shadow tree, so that its style sheets are constructed
// ones, which the strict content security policy allows.

import { EditorState, EditorSelection } from "@codemirror/state";
import { EditorView, keymap, drawSelection, highlightActiveLine, dropCursor } from "@codemirror/view";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { markdown, markdownLanguage, insertNewlineContinueMarkup, deleteMarkupBackward } from "@codemirror/lang-markdown";
import { syntaxHighlighting, HighlightStyle, indentUnit } from "@codemirror/language";
import { search, searchKeymap, highlightSelectionMatches } from "@codemirror/search";
import { autocompletion, completionKeymap, startCompletion } from "@codemirror/autocomplete";
import { tags as t } from "@lezer/highlight";
import { wikiLink } from "./wikilink.js";
import { actions, wrap } from "./actions.js";
import { keepDraft } from "./draft.js";

const form = document.getElementById("Editor");
const area = document.getElementById("Content");
const status = document.getElementById("Status");

const colours = HighlightStyle.define([
  { tag: t.heading, fontWeight: "680", color: "var(--ink)" },
  { tag: t.heading1, fontSize: "1.25em" }, { tag: t.heading2, fontSize: "1.12em" },
  { tag: t.strong, fontWeight: "680" }, { tag: t.emphasis, fontStyle: "italic" }, { tag: t.strikethrough, textDecoration: "line-through" },
  { tag: [t.link, t.url], color: "var(--accent)" }, { tag: t.monospace, color: "var(--hl-string)" },
  { tag: t.quote, color: "var(--dim)" }, { tag: [t.processingInstruction, t.contentSeparator, t.labelName], color: "var(--faint)" },
  { tag: t.meta, color: "var(--hl-keyword)" }, { tag: t.special(t.link), color: "var(--accent)", fontWeight: "600" },
]);

const look = EditorView.theme({
  "&": { height: "100%", fontSize: ".95rem", color: "var(--ink)", backgroundColor: "transparent" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.65", padding: "1rem 0" },
  ".cm-content": { padding: "0 1.3rem", caretColor: "var(--accent)" },
  ".cm-cursor": { borderLeftColor: "var(--accent)", borderLeftWidth: "2px" },
  ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--panel) 60%, transparent)" },
  ".cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground": { backgroundColor: "var(--accent-soft)" },
  ".cm-selectionMatch": { backgroundColor: "var(--mark)" }, ".cm-searchMatch": { backgroundColor: "var(--mark)" },
  ".cm-panels": { backgroundColor: "var(--panel)", color: "var(--ink)", borderColor: "var(--line)" },
  ".cm-panels input, .cm-panels button": { font: "inherit", color: "inherit", background: "var(--raised)", backgroundImage: "none", border: "1px solid var(--line-strong)", borderRadius: "4px" },
  ".cm-tooltip": { backgroundColor: "var(--raised)", border: "1px solid var(--line)", borderRadius: "8px", boxShadow: "var(--shadow)", overflow: "hidden" },
  ".cm-tooltip-autocomplete > ul > li": { padding: ".25rem .7rem !important", fontFamily: "var(--sans)" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--accent-soft) !important", color: "var(--ink) !important" },
  ".cm-completionDetail": { color: "var(--dim)", fontStyle: "normal" },
});

// Completion after "[[": the list of pages is fetched once, when first needed.
let pages;
const pageNames = () => pages ??= fetch(form.dataset.pages).then((r) => r.ok ? r.json() : { pages: [] }).then((d) => d.pages, () => []);
async function complete(context) {
  const open = context.matchBefore(/\[\[[^\]\n]*$/);
  if (!open) return null;
  const textFirst = form.dataset.style === "text-first", bar = open.text.lastIndexOf("|");
  if (bar >= 0 && !textFirst || open.text.includes("#")) return null;
  const from = open.from + (bar >= 0 ? bar + 1 : 2);
  const names = await pageNames();
  return {
    from, validFor: /^[^\]|#\n]*$/,
    options: names.map((path) => {
      const cut = path.lastIndexOf("/");
      return { label: path, displayLabel: path.slice(cut + 1), detail: cut > 0 ? path.slice(0, cut) : "", type: "text", apply: insertName };
    }),
  };
}
function insertName(view, completion, from, to) {
  const closed = view.state.sliceDoc(to, to + 2) === "]]";
  const text = completion.label + (closed ? "" : "]]");
  view.dispatch({ changes: { from, to, insert: text }, selection: { anchor: from + completion.label.length + 2 } });
}

// Uploads.
async function upload(view, files) {
  for (const file of files) {
    status.textContent = status.dataset.uploading;
    const data = new FormData();
    const name = file.name && file.name !== "image.png" ? file.name : `image-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.${(file.type.split("/")[1] ?? "png").replace("+xml", "")}`;
    data.append("file", file, name);
    try {
      const answer = await fetch(form.dataset.upload, { method: "POST", body: data });
      if (!answer.ok) throw new Error(await answer.text());
      const { markdown: text } = await answer.json();
      view.dispatch(view.state.replaceSelection(text + "\n"));
      status.textContent = "";
    } catch (error) {
      status.textContent = status.dataset.failed + error.message;
    }
  }
}

function save() { changed = false; area.value = view.state.doc.toString(); form.requestSubmit(form.querySelector('[value="save"]')); return true; }
const split = form.querySelector('[data-do="preview"]');
function togglePreview() { showPreview(pane.hidden); return true; }
const run = (name) => (view) => { actions[name](view, form); return true; };

const host = document.createElement("div");
host.className = "code-host";
const shadow = host.attachShadow({ mode: "open" });
const sheet = new CSSStyleSheet();
sheet.replaceSync(":host{display:block;min-height:0}.cm-editor{height:100%}");
shadow.adoptedStyleSheets = [sheet];

const view = new EditorView({
  root: shadow, parent: shadow,
  state: EditorState.create({
    doc: area.value,
    extensions: [
      history(), drawSelection(), dropCursor(), highlightActiveLine(), highlightSelectionMatches(), search({ top: true }),
      EditorView.lineWrapping, EditorState.allowMultipleSelections.of(true), indentUnit.of("    "),
      EditorView.contentAttributes.of({ spellcheck: "true", autocapitalize: "sentences", "aria-label": area.labels[0]?.textContent ?? "" }),
      markdown({ base: markdownLanguage, extensions: [wikiLink] }),
      syntaxHighlighting(colours), look,
      autocompletion({ override: [complete], icons: false, activateOnTyping: true }),
      keymap.of([
        { key: "Mod-s", run: save, preventDefault: true }, { key: "Mod-Enter", run: togglePreview }, { key: "Mod-p", run: togglePreview, preventDefault: true },
        { key: "Mod-b", run: run("bold") }, { key: "Mod-i", run: run("italic") }, { key: "Mod-k", run: run("link") },
        { key: "Enter", run: insertNewlineContinueMarkup }, { key: "Backspace", run: deleteMarkupBackward },
        ...completionKeymap, ...searchKeymap, ...historyKeymap, indentWithTab, ...defaultKeymap,
      ]),
      EditorView.domEventHandlers({
        paste(event, view) {
          const files = [...event.clipboardData?.files ?? []];
          if (files.length) { event.preventDefault(); upload(view, files); return true; }
          const url = event.clipboardData?.getData("text/plain").trim() ?? "";
          const { from, to } = view.state.selection.main;
          if (from !== to && /^https?:\/\/\S+$/.test(url)) { event.preventDefault(); wrap(view, "[", `](${url})`); return true; }
        },
        drop(event, view) {
          const files = [...event.dataTransfer?.files ?? []];
          if (!files.length) return;
          event.preventDefault();
          const at = view.posAtCoords({ x: event.clientX, y: event.clientY });
          if (at !== null) view.dispatch({ selection: { anchor: at } });
          upload(view, files);
          return true;
        },
      }),
      EditorView.updateListener.of((update) => { if (update.docChanged) edited(); if (update.docChanged || update.selectionSet) scrollSoon(); }),
    ],
  }),
});
area.hidden = true;
area.after(host);
view.focus();

// A new page's cursor stands below its title.
if (!form.dataset.base && !form.dataset.dirty) view.dispatch({ selection: EditorSelection.cursor(view.state.doc.length) });

// The form sends what the editor holds.
let changed = form.dataset.dirty === "yes";
form.addEventListener("submit", () => { area.value = view.state.doc.toString(); changed = false; });
addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.defaultPrevented) return;
  if (event.key === "s") { event.preventDefault(); save(); }
  if (event.key === "p" || event.key === "Enter") { event.preventDefault(); togglePreview(); }
});

// Live preview, beside the text where there is room.
const pane = document.getElementById("Preview"), panes = form.querySelector(".panes");
panes.classList.add("live");
let timer, running = false, again = false;
function showPreview(on) {
  pane.hidden = !on;
  split.setAttribute("aria-pressed", String(on));
  try { localStorage.setItem("preview", on ? "1" : "0"); } catch { /* private mode */ }
  if (on) preview();
}
async function preview() {
  if (pane.hidden) return;
  if (running) { again = true; return; }
  running = true;
  try {
    const answer = await fetch(form.dataset.preview, { method: "POST", body: new URLSearchParams({ content: view.state.doc.toString() }) });
    if (!answer.ok) throw new Error((await answer.text()).slice(0, 200));
    const page = await answer.json();
    const text = document.createElement("div");
    text.className = "prose";
    text.innerHTML = page.html; // sanitised by the server; the policy of this page runs no inline script
    if (page.title) { const h = document.createElement("h1"); h.textContent = page.title; text.prepend(h); }
    const props = document.createElement("div");
    props.innerHTML = page.properties;
    const top = pane.scrollTop;
    pane.replaceChildren(...props.childNodes, text);
    pane.scrollTop = top;
    (await import(document.querySelector('script[src*="/assets/app."]').src)).enrich(pane);
  } catch (error) {
    status.textContent = status.dataset.failed + error.message;
  }
  running = false;
  if (again) { again = false; preview(); }
}
document.getElementById("PreviewButton").hidden = true;
let wish = null;
try { wish = localStorage.getItem("preview"); } catch { /* private mode */ }
showPreview(wish === null ? innerWidth > 1000 : wish === "1");

// The preview follows the text by its share of the whole.
let scrolling;
function scrollSoon() {
  cancelAnimationFrame(scrolling);
  scrolling = requestAnimationFrame(() => {
    const s = view.scrollDOM, share = s.scrollTop / Math.max(1, s.scrollHeight - s.clientHeight);
    if (s.scrollHeight > s.clientHeight) pane.scrollTop = share * (pane.scrollHeight - pane.clientHeight);
  });
}
view.scrollDOM.addEventListener("scroll", scrollSoon, { passive: true });

const draft = keepDraft(form, () => view.state.doc.toString(), (text) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } }), status);
function edited() {
  changed = true;
  draft.later();
  clearTimeout(timer);
  timer = setTimeout(preview, 250);
}

// Toolbar.
const bar = form.querySelector(".toolbar"), pick = document.getElementById("Pick");
bar.hidden = false;
bar.addEventListener("mousedown", (event) => event.preventDefault());
bar.addEventListener("click", (event) => {
  const name = event.target.closest("button")?.dataset.do;
  if (!name) return;
  if (name === "preview") togglePreview();
  else if (name === "file") pick.click();
  else actions[name](view, form);
  if (name === "wikilink") startCompletion(view);
  view.focus();
});
pick.addEventListener("change", () => { upload(view, [...pick.files]); pick.value = ""; });
