// What the toolbar and the editor's keys do to the text.

import { EditorSelection } from "@codemirror/state";

// wrap puts marks around each selection, or takes them away if they are there.
export function wrap(view, before, after = before) {
  view.dispatch(view.state.changeByRange((range) => {
    const { state } = view, { from, to } = range;
    if (state.sliceDoc(from - before.length, from) === before && state.sliceDoc(to, to + after.length) === after) {
      return { changes: [{ from: from - before.length, to: from }, { from: to, to: to + after.length }], range: EditorSelection.range(from - before.length, to - before.length) };
    }
    return { changes: [{ from, insert: before }, { from: to, insert: after }], range: EditorSelection.range(from + before.length, to + before.length) };
  }), { userEvent: "input" });
}

// prefix rewrites each line of the selection; it is given the line's text and
// its number within the selection.
function prefix(view, change) {
  const { state } = view, changes = [];
  let n = 0;
  for (const range of state.selection.ranges) {
    for (let pos = range.from; pos <= range.to;) {
      const line = state.doc.lineAt(pos), text = change(line.text, n++);
      if (text !== line.text) changes.push({ from: line.from, to: line.to, insert: text });
      pos = line.to + 1;
    }
  }
  view.dispatch({ changes, userEvent: "input" });
}

const toggled = (mark, pattern) => (text) => pattern.test(text) ? text.replace(pattern, "") : mark + text;

export const actions = {
  bold: (view) => wrap(view, "**"),
  italic: (view) => wrap(view, "*"),
  strike: (view) => wrap(view, "~~"),
  code(view) {
    const { from, to } = view.state.selection.main;
    if (view.state.doc.lineAt(from).number === view.state.doc.lineAt(to).number) wrap(view, "`"); else wrap(view, "```\n", "\n```");
  },
  link(view) {
    const { from, to } = view.state.selection.main, text = view.state.sliceDoc(from, to);
    view.dispatch({ changes: { from, to, insert: `[${text}]()` }, selection: { anchor: text ? from + text.length + 3 : from + 1 }, userEvent: "input" });
  },
  wikilink: (view) => wrap(view, "[[", "]]"),
  heading: (view) => prefix(view, (text) => { const level = /^#{0,6}(?= |$)/.exec(text)?.[0].length ?? 0, rest = text.replace(/^#{1,6} ?/, ""); return level >= 4 ? rest : "#".repeat(level + 1 || 1) + " " + rest; }),
  list: (view) => prefix(view, toggled("- ", /^- (?!\[[ x]\])/)),
  numbers: (view) => prefix(view, (text, n) => /^\d+\. /.test(text) ? text.replace(/^\d+\. /, "") : `${n + 1}. ${text}`),
  tasks: (view) => prefix(view, toggled("- [ ] ", /^- \[[ x]\] /)),
  quote: (view) => prefix(view, toggled("> ", /^> ?/)),
  table(view) {
    const line = view.state.doc.lineAt(view.state.selection.main.head), insert = (line.text ? "\n\n" : "") + "|   |   |\n|---|---|\n|   |   |\n";
    view.dispatch({ changes: { from: line.to, insert }, selection: { anchor: line.to + insert.indexOf("|") + 2 }, userEvent: "input" });
  },
};
