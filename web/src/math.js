// Math: TeX to MathML, which browsers typeset by themselves.

import temml from "temml";

export function typeset(elements) {
  for (const e of elements) {
    const source = e.textContent;
    try {
      const html = temml.renderToString(source, { displayMode: e.classList.contains("display"), throwOnError: true, trust: false, maxExpand: 500, maxSize: [40, 40] });
      const box = document.createElement("template");
      box.innerHTML = html;
      const math = box.content.querySelector("math");
      // The policy allows no style attributes; set through the object model the same properties are allowed.
      for (const styled of math.querySelectorAll("[style]")) { const css = styled.getAttribute("style"); styled.removeAttribute("style"); styled.style.cssText = css; }
      math.setAttribute("aria-label", source);
      e.replaceChildren(math);
      e.title = "";
    } catch (error) {
      e.title = error.message; // the source stays readable
    }
  }
}
