// Diagrams, inside a sandboxed frame: source in, drawing shown, height out.

import mermaid from "mermaid";

const say = (message) => parent.postMessage(message, "*");
let last = 0;

addEventListener("message", async (event) => {
  if (event.source !== parent || typeof event.data?.source !== "string") return;
  const { id, source, dark } = event.data, turn = ++last;
  mermaid.initialize({ startOnLoad: false, securityLevel: "strict", theme: dark ? "dark" : "neutral", fontFamily: "ui-sans-serif, system-ui, sans-serif", suppressErrorRendering: true });
  try {
    const { svg } = await mermaid.render("d" + turn, source);
    if (turn !== last) return;
    document.documentElement.style.colorScheme = dark ? "dark" : "light"; // that of the page around, or the frame is opaque
    document.body.innerHTML = svg;
    document.body.style.cssText = "margin:0;background:transparent;display:flex;justify-content:center";
    const tell = () => say({ id, height: Math.ceil(document.body.firstElementChild.getBoundingClientRect().height) + 2 });
    tell();
    new ResizeObserver(tell).observe(document.body);
  } catch (error) {
    say({ id, error: String(error) });
  }
});
say({ ready: true });
