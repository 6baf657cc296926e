// Wikilinks for CodeMirror's Markdown parser: [[Target|Text]] and ![[embeds]].

import { tags } from "@lezer/highlight";

export const wikiLink = {
  defineNodes: [{ name: "WikiLink", style: tags.special(tags.link) }],
  parseInline: [{
    name: "WikiLink", before: "Link",
    parse(cx, next, pos) {
      if (next !== 91 || cx.char(pos + 1) !== 91) return -1;
      for (let i = pos + 2; i < cx.end; i++) {
        const c = cx.char(i);
        if (c === 10 || c === 91) return -1;
        if (c === 93) return cx.char(i + 1) === 93 && i > pos + 2 ? cx.addElement(cx.elt("WikiLink", pos, i + 2)) : -1;
      }
      return -1;
    },
  }],
};
