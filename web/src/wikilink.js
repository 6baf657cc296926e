// What wiki pages have beyond Markdown, for CodeMirror's parser:
// [[Target|Text]], ![[embeds]], and frontmatter at the very top.

import { tags } from "@lezer/highlight";

export const wikiLink = {
  defineNodes: [{ name: "WikiLink", style: tags.special(tags.link) }, { name: "Frontmatter", block: true, style: tags.meta }],
  parseBlock: [{
    name: "Frontmatter", before: "HorizontalRule",
    parse(cx, line) {
      if (cx.lineStart !== 0 || line.text.trimEnd() !== "---") return false;
      while (cx.nextLine()) {
        if (line.text.trimEnd() !== "---") continue;
        const end = cx.lineStart + line.text.length;
        cx.nextLine();
        cx.addElement(cx.elt("Frontmatter", 0, end));
        return true;
      }
      return true;
    },
  }],
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
