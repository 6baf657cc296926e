// A draft of what is being written, kept on the reader's own computer with the
// revision that it began from.

const prefix = "draft:", maxAge = 30 * 24 * 3600 * 1000;

export function keepDraft(form, read, write, status) {
  const key = prefix + form.dataset.key, box = document.getElementById("Draft");
  const original = read();
  const get = () => { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } };
  const drop = () => { try { localStorage.removeItem(key); } catch { /* private mode */ } };
  const put = () => {
    try {
      localStorage.setItem(key, JSON.stringify({ text: read(), base: form.dataset.base, at: Date.now() }));
      status.textContent = status.dataset.saved;
    } catch { /* full or forbidden: the text is still in the form */ }
  };

  const draft = get();
  if (draft && (Date.now() - draft.at > maxAge || draft.text === original)) drop();
  else if (draft && form.dataset.dirty !== "yes") {
    const time = box.querySelector("time");
    time.dateTime = new Date(draft.at).toISOString();
    time.textContent = new Date(draft.at).toLocaleString();
    box.hidden = false;
    box.addEventListener("click", (event) => {
      const what = event.target.closest("button")?.dataset.draft;
      if (!what) return;
      // The draft goes on from its own base, so that what was saved since is merged and not overwritten.
      if (what === "use") { write(draft.text); form.elements.base.value = form.dataset.base = draft.base; }
      drop();
      box.hidden = true;
    });
  }

  let timer;
  const later = () => { clearTimeout(timer); timer = setTimeout(put, 1500); };
  form.addEventListener("submit", (event) => {
    clearTimeout(timer);
    put(); // until the answer is there: a failed save must not lose the text
    // The page that a successful save leads to takes the draft away (app.js).
    try { if (event.submitter?.value === "save") sessionStorage.setItem("saving", key); } catch { /* private mode */ }
  });
  return { later };
}
