// Math: TeX to MathML, which browsers typeset by themselves.

import temml from "temml";

export function typeset(elements) {
  for (const e of elements) {
    const source = e.textContent;
    try {
      // Temml builds elements and sets their style through the object model, which
      // the content security policy allows, unlike style attributes.
      const box = document.createElement("span");
      temml.render(source, box, { displayMode: e.classList.contains("display"), throwOnError: true, trust: false, maxExpand: 500, maxSize: [40, 40] });
      const math = box.querySelector("math");
      math.setAttribute("aria-label", source);
      e.replaceChildren(math);
      e.title = "";
    } catch (error) {
      e.title = error.message; // the source stays readable
    }
  }
}
