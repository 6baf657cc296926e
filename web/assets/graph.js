// The graph of links, drawn on a canvas by forces: pages push each other away, links
// pull them together. The list below says the same. Needs no build.

const $ = (selector) => document.querySelector(selector);
const box = $("#Graph"), canvas = $("#Canvas"), said = $("#Said");
const pen = canvas.getContext("2d");
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

let nodes = [], edges = [], colours = {}, view = { x: 0, y: 0, k: 1 }, chosen = -1, over = -1, heat = 1, waiting = false, fitted = true;

// Colours are the page's, also when they change.
function dye() {
  const of = getComputedStyle(document.documentElement);
  for (const name of ["ink", "dim", "faint", "accent", "missing", "line-strong", "raised"]) colours[name] = of.getPropertyValue("--" + name).trim();
  draw();
}

function place(data) {
  nodes = data.nodes.map((n, i) => {
    const r = 12 * Math.sqrt(i + 1), a = i * 2.39996; // a sunflower: the same start each time
    return { ...n, x: r * Math.cos(a), y: r * Math.sin(a), vx: 0, vy: 0, links: [], size: 3 + Math.min(9, 1.6 * Math.sqrt(n.in)), name: n.page.slice(n.page.lastIndexOf("/") + 1) };
  });
  edges = data.edges.map((e) => ({ a: nodes[e.from], b: nodes[e.to], count: e.count }));
  for (const e of edges) { e.a.links.push(e.b); e.b.links.push(e.a); }
  nodes.forEach((n, i) => { n.at = i; });
  chosen = nodes.findIndex((n) => n.page === box.dataset.around);
}

// One step: near pages push by themselves, far ones by the cell of a grid that they
// are in, so that a step costs about pages × cells and not the square of the pages.
const grid = 14;
function step() {
  let x0 = Infinity, y0 = Infinity, x1 = -Infinity, y1 = -Infinity;
  for (const n of nodes) { x0 = Math.min(x0, n.x); x1 = Math.max(x1, n.x); y0 = Math.min(y0, n.y); y1 = Math.max(y1, n.y); }
  const w = Math.max(x1 - x0, y1 - y0, 1) / grid * 1.0001, cells = new Map();
  for (const n of nodes) {
    n.cx = Math.floor((n.x - x0) / w); n.cy = Math.floor((n.y - y0) / w);
    const key = n.cx * grid + n.cy, c = cells.get(key) ?? { cx: n.cx, cy: n.cy, x: 0, y: 0, list: [] };
    c.x += n.x; c.y += n.y; c.list.push(n);
    cells.set(key, c);
  }
  for (const c of cells.values()) { c.x /= c.list.length; c.y /= c.list.length; }
  const push = (n, x, y, mass) => {
    let dx = n.x - x, dy = n.y - y, d2 = dx * dx + dy * dy;
    if (d2 < 1) { dx = (n.at % 7) - 3 || .5; dy = (n.at % 5) - 2 || .5; d2 = 4; }
    const f = 900 * mass / d2 * heat;
    n.vx += dx / Math.sqrt(d2) * Math.min(f, 40); n.vy += dy / Math.sqrt(d2) * Math.min(f, 40);
  };
  for (const n of nodes) {
    for (const c of cells.values()) {
      if (Math.abs(c.cx - n.cx) > 1 || Math.abs(c.cy - n.cy) > 1) push(n, c.x, c.y, c.list.length);
      else for (const m of c.list) if (m !== n) push(n, m.x, m.y, 1);
    }
    n.vx -= n.x * .012 * heat; n.vy -= n.y * .012 * heat; // towards the middle
  }
  for (const { a, b } of edges) {
    const dx = b.x - a.x, dy = b.y - a.y, d = Math.hypot(dx, dy) || 1, f = (d - 46) / d * .5 * heat / Math.sqrt(Math.min(a.links.length, b.links.length));
    a.vx += dx * f / 2; a.vy += dy * f / 2; b.vx -= dx * f / 2; b.vy -= dy * f / 2;
  }
  for (const n of nodes) {
    const v = Math.hypot(n.vx, n.vy), most = 30;
    if (v > most) { n.vx *= most / v; n.vy *= most / v; }
    if (n !== held) { n.x += n.vx; n.y += n.vy; }
    n.vx *= .55; n.vy *= .55;
  }
  heat *= .985;
}

function fit() {
  let x0 = Infinity, y0 = Infinity, x1 = -Infinity, y1 = -Infinity;
  for (const n of nodes) { x0 = Math.min(x0, n.x); x1 = Math.max(x1, n.x); y0 = Math.min(y0, n.y); y1 = Math.max(y1, n.y); }
  const w = canvas.clientWidth, h = canvas.clientHeight, margin = Math.min(56, .09 * canvas.clientWidth);
  view.k = Math.min(2.2, (w - 2 * margin) / Math.max(x1 - x0, 40), (h - 2 * margin) / Math.max(y1 - y0, 40));
  view.x = w / 2 - (x0 + x1) / 2 * view.k; view.y = h / 2 - (y0 + y1) / 2 * view.k;
}

function frame() {
  if (heat < .02) return;
  step();
  if (fitted) fit();
  draw();
  requestAnimationFrame(frame);
}
function warm(to) {
  const cold = heat < .02;
  heat = Math.max(heat, to);
  if (still) { settle(); draw(); } else if (cold) requestAnimationFrame(frame);
}
function settle() { while (heat >= .02) step(); if (fitted) fit(); }

function draw() {
  if (waiting || !nodes.length) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; paint(); });
}

function paint() {
  const scale = devicePixelRatio || 1, w = canvas.clientWidth, h = canvas.clientHeight;
  if (canvas.width !== Math.round(w * scale) || canvas.height !== Math.round(h * scale)) { canvas.width = Math.round(w * scale); canvas.height = Math.round(h * scale); }
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, w, h);
  const lit = nodes[over >= 0 ? over : chosen], near = lit && new Set([lit, ...lit.links]);
  const X = (n) => n.x * view.k + view.x, Y = (n) => n.y * view.k + view.y;
  for (const pass of [false, true]) {
    pen.strokeStyle = pass ? colours.accent : colours["line-strong"];
    pen.globalAlpha = pass ? .9 : lit ? .45 : .8;
    pen.lineWidth = pass ? 1.6 : 1;
    pen.beginPath();
    for (const { a, b } of edges) if ((lit && (a === lit || b === lit)) === pass || !lit && !pass) { pen.moveTo(X(a), Y(a)); pen.lineTo(X(b), Y(b)); }
    pen.stroke();
  }
  for (const n of nodes) {
    pen.globalAlpha = near && !near.has(n) ? .4 : 1;
    pen.beginPath();
    pen.arc(X(n), Y(n), n.size * Math.max(.75, Math.min(1.4, Math.sqrt(view.k))), 0, 7);
    if (n.missing) { pen.fillStyle = colours.raised; pen.fill(); pen.strokeStyle = colours.missing; pen.lineWidth = 1.5; pen.setLineDash([2.5, 2]); pen.stroke(); pen.setLineDash([]); }
    else { pen.fillStyle = n === lit ? colours.ink : colours.accent; pen.fill(); }
  }
  label(w, h, lit, near, X, Y);
  if (nodes[chosen]) { const n = nodes[chosen]; pen.globalAlpha = 1; pen.strokeStyle = colours.ink; pen.lineWidth = 2; pen.beginPath(); pen.arc(X(n), Y(n), n.size * 1.4 + 4, 0, 7); pen.stroke(); }
  pen.globalAlpha = 1;
}

// Labels, the most linked first, where there is room for them.
function label(w, h, lit, near, X, Y) {
  pen.font = '12px ui-sans-serif, system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif';
  pen.textAlign = "center"; pen.lineWidth = 3; pen.lineJoin = "round";
  const taken = [], rank = (n) => (n === lit ? 1e9 : near?.has(n) ? 1e6 : 0) + n.in + n.out / 10;
  const list = nodes.filter((n) => X(n) > 0 && X(n) < w && Y(n) > 0 && Y(n) < h).sort((a, b) => rank(b) - rank(a) || a.at - b.at).slice(0, 250);
  for (const n of list) {
    const text = n === lit ? n.page : n.name.length > 28 ? n.name.slice(0, 27) + "…" : n.name;
    const half = pen.measureText(text).width / 2 + 3, x = Math.max(half, Math.min(w - half, X(n))), y = Y(n) + n.size + 14;
    if (n !== lit && taken.some((t) => Math.abs(t.x - x) < t.half + half && Math.abs(t.y - y) < 15)) continue;
    taken.push({ x, y, half });
    pen.globalAlpha = near && !near.has(n) ? .45 : 1;
    pen.strokeStyle = colours.raised; pen.strokeText(text, x, y);
    pen.fillStyle = n.missing ? colours.missing : n === lit ? colours.ink : colours.dim; pen.fillText(text, x, y);
  }
}

// say tells what is pointed at, for eyes and for screen readers.
function say(n) {
  said.textContent = !n ? "" : box.dataset.said.replace("{page}", n.page).replace("{in}", n.in).replace("{out}", n.out) + (n.missing ? " · " + box.dataset.missing : "");
}
const open = (n) => { if (n) location.href = n.url; };

function at(px, py) {
  let best = -1, nearest = 18 ** 2;
  for (const n of nodes) { const d = (n.x * view.k + view.x - px) ** 2 + (n.y * view.k + view.y - py) ** 2; if (d < Math.max(nearest, 0)) { nearest = d; best = n.at; } }
  return best;
}
function zoom(by, px = canvas.clientWidth / 2, py = canvas.clientHeight / 2) {
  const k = Math.min(8, Math.max(.05, view.k * by));
  view.x = px - (px - view.x) * k / view.k; view.y = py - (py - view.y) * k / view.k; view.k = k;
  fitted = false;
  draw();
}

// Pointers: one drags a page or the sheet, two zoom.
const down = new Map();
let held = null, moved = 0;
const spot = (event) => { const r = canvas.getBoundingClientRect(); return { x: event.clientX - r.left, y: event.clientY - r.top }; };
canvas.addEventListener("pointerdown", (event) => {
  const p = spot(event);
  canvas.setPointerCapture(event.pointerId);
  down.set(event.pointerId, p);
  moved = down.size > 1 ? 99 : 0;
  held = down.size === 1 ? nodes[at(p.x, p.y)] ?? null : null;
  canvas.classList.add("moving");
});
canvas.addEventListener("pointermove", (event) => {
  const p = spot(event), was = down.get(event.pointerId);
  if (!was) {
    const now = at(p.x, p.y);
    if (now !== over) { over = now; canvas.classList.toggle("over", over >= 0); say(nodes[over >= 0 ? over : chosen]); draw(); }
    return;
  }
  moved += Math.abs(p.x - was.x) + Math.abs(p.y - was.y);
  if (down.size === 2) {
    const other = [...down].find(([id]) => id !== event.pointerId)[1];
    const before = Math.hypot(was.x - other.x, was.y - other.y), after = Math.hypot(p.x - other.x, p.y - other.y);
    if (before > 0) zoom(after / before, (p.x + other.x) / 2, (p.y + other.y) / 2);
  } else if (held && moved > 4) { held.x = (p.x - view.x) / view.k; held.y = (p.y - view.y) / view.k; fitted = false; warm(.25); }
  else if (!held) { view.x += p.x - was.x; view.y += p.y - was.y; fitted = false; draw(); }
  down.set(event.pointerId, p);
});
for (const kind of ["pointerup", "pointercancel"]) canvas.addEventListener(kind, (event) => {
  const last = down.size === 1;
  down.delete(event.pointerId);
  if (!last) return;
  const n = held;
  held = null;
  canvas.classList.remove("moving");
  if (kind === "pointerup" && n && moved <= 4 && event.button === 0) {
    if (event.ctrlKey || event.metaKey) window.open(n.url, "_blank", "noopener"); else open(n);
  }
});
canvas.addEventListener("pointerleave", () => { if (over >= 0) { over = -1; say(nodes[chosen]); draw(); } });
canvas.addEventListener("wheel", (event) => { event.preventDefault(); const p = spot(event); zoom(Math.exp(-event.deltaY * (event.deltaMode ? .05 : .0015)), p.x, p.y); }, { passive: false });

// Keys: an arrow goes to the nearest page in its direction.
const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
canvas.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const way = ways[event.key];
  if (way) go(way);
  else if (event.key === "Enter") open(nodes[chosen]);
  else if (event.key === "+" || event.key === "=") zoom(1.3);
  else if (event.key === "-") zoom(1 / 1.3);
  else if (event.key === "0") { fitted = true; fit(); draw(); }
  else return;
  event.preventDefault();
});
function go([wx, wy]) {
  const from = nodes[chosen];
  let best = from ? -1 : 0, least = Infinity;
  for (const n of from ? nodes : []) {
    const dx = n.x - from.x, dy = n.y - from.y, ahead = dx * wx + dy * wy, aside = Math.abs(dx * wy) + Math.abs(dy * wx);
    if (n !== from && ahead > aside * .5 && ahead + 2 * aside < least) { least = ahead + 2 * aside; best = n.at; }
  }
  if (best < 0) return;
  chosen = best; over = -1;
  const n = nodes[best], x = n.x * view.k + view.x, y = n.y * view.k + view.y, w = canvas.clientWidth, h = canvas.clientHeight;
  if (x < 30 || x > w - 30) { view.x += w / 2 - x; fitted = false; }
  if (y < 30 || y > h - 30) { view.y += h / 2 - y; fitted = false; }
  say(n); draw();
}
canvas.addEventListener("focus", () => { if (chosen < 0 && nodes.length) { chosen = nodes.reduce((b, n) => n.in > nodes[b].in ? n.at : b, 0); say(nodes[chosen]); draw(); } });
for (const b of document.querySelectorAll(".graph-tools button")) b.addEventListener("click", () => {
  if (b.dataset.act === "in") zoom(1.3); else if (b.dataset.act === "out") zoom(1 / 1.3); else { fitted = true; fit(); draw(); }
});

async function load() {
  for (let tries = 0; tries < 60; tries++) {
    const answer = await fetch(box.dataset.src, { headers: { Accept: "application/json" } });
    if (answer.ok) return answer.json();
    if (answer.status !== 503) break; // else the links are being read
    await new Promise((done) => setTimeout(done, 2000));
  }
  throw new Error(box.dataset.failed);
}
try {
  place(await load());
  box.hidden = false;
  $("#AsList").open = false;
  dye();
  new ResizeObserver(() => { if (fitted) fit(); draw(); }).observe(canvas);
  addEventListener("themechange", dye);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", dye);
  if (still || nodes.length > 600) { for (let i = 0; i < (still ? 0 : 60); i++) step(); }
  if (still) settle(); else requestAnimationFrame(frame);
  if (chosen >= 0) say(nodes[chosen]);
  canvas.dataset.ready = "yes";
} catch (err) { said.textContent = err.message; box.hidden = false; canvas.hidden = true; }
