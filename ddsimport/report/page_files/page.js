"use strict";
// The page of the graph: draws what Python has laid out, and shows what is known of a step.
// All text comes in as data and goes out through text nodes and attributes, never as markup.
(() => {
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  const canvas = byId("canvas"), world = byId("world"), panel = byId("panel");
  const search = byId("search");
  const SVG = "http://www.w3.org/2000/svg";
  const WORDS = { hit: "hit", computed: "ran", uncached: "not kept", failed: "failed",
                  stale: "would run", unknown: "may run", running: "running", none: "did not run" };
  const state = { view: "steps", colour: "status", at: null, open: null, member: null, scale: 1, x: 0, y: 0,
                  moved: false, seeking: "" };
  let nodes = new Map(), drawn = new Map(), routes = [];

  // --- small things ---------------------------------------------------------------------------

  // make("p", {class: "faint"}, "text", child…)
  function make(name, attributes = {}, ...children) {
    const drawing = ["g", "rect", "text", "path", "title", "svg", "line"].includes(name);
    const element = drawing ? document.createElementNS(SVG, name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
      else if (value !== null && value !== undefined && value !== false)
        element.setAttribute(key, value);
    }
    element.append(...children.filter((each) => each !== null && each !== undefined));
    return element;
  }

  function duration(seconds) {
    if (seconds < 0.0005) return "0 ms";
    if (seconds < 0.9995) return `${+(seconds * 1000).toPrecision(3)} ms`;
    if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
    const minutes = Math.floor(Math.round(seconds) / 60);
    if (minutes < 60) return `${minutes} min ${Math.round(seconds) % 60} s`;
    return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  }

  function bytes(size) {
    const units = ["B", "kB", "MB", "GB", "TB"];
    let at = 0;
    while (size >= 1000 && at < 4) { size /= 1000; at += 1; }
    return `${at ? +size.toPrecision(3) : size} ${units[at]}`;
  }

  function when(text) {
    const date = new Date(text);
    return isNaN(date) ? text : date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
  }

  const statusOf = (node) => node.status || "none";
  const tell = (text) => { byId("told").textContent = text; };

  function remember(key, value) {
    try {
      if (value === undefined) return localStorage.getItem(`ddsimport ${key}`);
      localStorage.setItem(`ddsimport ${key}`, value);
    } catch { /* no storage for this page */ }
    return null;
  }

  // As much of a text as fits; the measure is that of the font on this machine.
  const pen = document.createElement("canvas").getContext("2d");
  const fonts = { step: "600 13px", said: "11.5px", small: "11.5px" };
  function fitted(text, width, font, fromLeft) {
    pen.font = `${fonts[font]} ${getComputedStyle(document.body).fontFamily}`;
    if (pen.measureText(text).width <= width) return text;
    let low = 0, high = text.length;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      const part = fromLeft ? "…" + text.slice(-middle) : text.slice(0, middle) + "…";
      if (pen.measureText(part).width <= width) low = middle; else high = middle - 1;
    }
    return fromLeft ? "…" + (low ? text.slice(-low) : "") : text.slice(0, low) + "…";
  }

  // --- drawing --------------------------------------------------------------------------------

  function draw() {
    nodes = new Map(data.nodes.map((node) => [node.id, node]));
    const view = data.views[state.view];
    const most = Math.max(...data.nodes.map((node) => node.seconds), 0.001);
    byId("edges").replaceChildren();
    routes = view.routes.map((route) => {
      const line = make("path", { class: `edge ${route.kind}`, d: route.d });
      byId("edges").append(line);
      return { ...route, line };
    });
    drawn = new Map();
    const boxes = [];
    for (const [id, [x, y]] of Object.entries(view.places)) {
      const node = nodes.get(id);
      const box = drawNode(node, x, y, most);
      drawn.set(id, { node, box, x, y });
      boxes.push(box);
    }
    byId("nodes").replaceChildren(...boxes);
    if (!drawn.has(state.at)) state.at = drawn.keys().next().value ?? null;
    if (state.at) drawn.get(state.at).box.setAttribute("tabindex", "0");
    byId("empty").hidden = drawn.size > 0;
    byId("empty").textContent = data.live ? "Waiting for the first step …" : "No steps.";
    drawHead();
    drawLegend();
    mark();
    seek(state.seeking, false);
  }

  function drawNode(node, x, y, most) {
    const step = node.kind === "step", width = node.width, height = node.height;
    const shape = step ? 7 : node.kind === "input" ? height / 2 : 4;
    const name = step ? node.label : smallLabel(node);
    const parts = [
      make("title", {}, `${node.label}\n${node.said}`),
      make("rect", { class: "box", width, height, rx: shape }),
    ];
    if (node.members.length)
      parts.splice(1, 0, make("rect", { class: "under", x: 5, y: 5, width, height, rx: shape }));
    if (step) {
      parts.push(
        make("rect", { class: "bar", x: 0, y: 8, width: 3, height: height - 16, rx: 1.5 }),
        make("text", { class: "name", x: 14, y: 20 }, fitted(name, width - 26, "step", true)),
        make("text", { class: "said", x: 14, y: 36 }, fitted(node.said, width - 26, "said")));
    } else {
      parts.push(make("text", { class: "name", x: 12, y: 17 },
                      fitted(name, width - 22, "small", node.kind === "file")));
    }
    const share = Math.log1p(node.seconds * 1000) / Math.log1p(most * 1000);
    return make("g", {
      class: `node ${step ? "step" : "small"} ${node.kind} ${step ? statusOf(node) : ""} ` +
             (node.members.length ? "stack" : ""),
      transform: `translate(${x} ${y})`, style: `--share:${share.toFixed(3)}`,
      role: "button", tabindex: "-1", "data-id": node.id,
      "aria-label": step ? `${node.label}, ${node.said}` : `${node.kind} ${name}`,
    }, ...parts);
  }

  function smallLabel(node) {
    if (node.kind === "input" && node.detail) return `${node.label} = ${node.detail}`;
    return node.label;
  }

  function drawHead() {
    const steps = data.nodes.filter((node) => node.kind === "step");
    const program = data.program || (steps.length ? "A run without a program" : "No run yet");
    byId("program").textContent = program;
    document.title = `${program} · ddsimport`;
    const count = {}, total = { seconds: 0, saved: 0 };
    for (const node of steps) {
      for (const each of node.members.length ? node.members : [node])
        count[statusOf(each)] = (count[statusOf(each)] || 0) + 1;
      total.saved += node.saved;
    }
    const said = Object.keys(WORDS).filter((key) => count[key])
      .map((key) => `${count[key]} ${WORDS[key]}${key === "hit" && count[key] > 1 ? "s" : ""}`);
    if (total.saved >= 0.0005) said.push(`${duration(total.saved)} saved`);
    said.push(data.ended ? when(data.ended) : data.live && data.nodes.length ? "under way" : "");
    byId("summary").textContent = said.filter(Boolean).join(" · ");
    for (const button of document.querySelectorAll("[data-view]"))
      button.setAttribute("aria-pressed", button.dataset.view === state.view);
    for (const button of document.querySelectorAll("[data-colour]"))
      button.setAttribute("aria-pressed", button.dataset.colour === state.colour);
    canvas.classList.toggle("by-cost", state.colour === "cost");
  }

  function drawLegend() {
    const rows = [];
    if (state.colour === "cost") {
      const most = Math.max(...data.nodes.map((node) => node.seconds), 0);
      rows.push(make("li", {}, "0 s", make("span", { class: "scale" }), duration(most), " to evaluate"));
    } else {
      const there = new Set([...drawn.values()].filter((each) => each.node.kind === "step")
        .map((each) => statusOf(each.node)));
      for (const [key, word] of Object.entries(WORDS))
        if (there.has(key)) rows.push(make("li", { class: key }, make("i"), word));
    }
    const kinds = new Set(routes.map((route) => route.kind));
    const lines = [["plain", "by way of plain code"], ["nested", "inside"], ["load", "read by load()"]];
    for (const [kind, word] of lines) {
      if (!kinds.has(kind)) continue;
      const line = make("path", { class: `edge ${kind}`, d: "M0 4H20" });
      rows.push(make("li", {}, make("svg", { viewBox: "0 0 26 8", "aria-hidden": "true" }, line), word));
    }
    byId("legend").replaceChildren(...rows);
    byId("legend").hidden = !rows.length;
  }

  // What is near the step that is looked at stands out: all that it rests on, and that rests on it.
  function mark() {
    const near = new Set(state.open && drawn.has(state.open) ? [state.open] : []);
    for (const [from, to] of [["source", "target"], ["target", "source"]]) {
      const queue = [...near].slice(0, 1);
      const seen = new Set(queue);
      for (const id of queue)
        for (const route of routes)
          if (route[from] === id && !seen.has(route[to])) { seen.add(route[to]); queue.push(route[to]); }
      for (const id of seen) near.add(id);
    }
    canvas.classList.toggle("dim", near.size > 0);
    for (const [id, each] of drawn) {
      each.box.classList.toggle("near", near.has(id));
      each.box.classList.toggle("chosen", id === state.open);
    }
    for (const route of routes)
      route.line.classList.toggle("on", near.has(route.source) && near.has(route.target));
  }

  // --- pan and zoom ---------------------------------------------------------------------------

  function place() {
    world.setAttribute("transform", `translate(${state.x} ${state.y}) scale(${state.scale})`);
    canvas.classList.toggle("far", state.scale < 0.5);
  }

  function fit() {
    const view = data.views[state.view], { width, height } = canvas.getBoundingClientRect();
    if (!view.width || !width) return;
    const room = 32, whole = Math.min((width - 2 * room) / view.width, (height - 2 * room - 30) / view.height);
    state.scale = Math.min(whole, 1.15);
    state.x = Math.max((width - view.width * state.scale) / 2, room);
    state.y = Math.max((height - 30 - view.height * state.scale) / 2, room);
    state.moved = false;
    place();
  }

  function zoom(factor, x, y) {
    const { width, height } = canvas.getBoundingClientRect();
    x ??= width / 2; y ??= height / 2;
    const scale = Math.min(Math.max(state.scale * factor, Math.min(state.scale, 0.05)), 4);
    state.x = x - (x - state.x) * scale / state.scale;
    state.y = y - (y - state.y) * scale / state.scale;
    state.scale = scale;
    state.moved = true;
    place();
  }

  // Move just as far as is needed to see a node.
  function reveal(id) {
    const each = drawn.get(id);
    if (!each) return;
    const { width, height } = canvas.getBoundingClientRect();
    if (state.scale < 0.5) {
      const factor = 0.9 / state.scale;
      zoom(factor, state.x + (each.x + each.node.width / 2) * state.scale,
           state.y + (each.y + each.node.height / 2) * state.scale);
    }
    const left = state.x + each.x * state.scale, top = state.y + each.y * state.scale;
    const right = left + each.node.width * state.scale, bottom = top + each.node.height * state.scale;
    const room = 40, before = `${state.x} ${state.y} ${state.scale}`;
    if (right > width - room) state.x -= right - width + room;
    if (left < room) state.x += room - left;
    if (bottom > height - 70) state.y -= bottom - height + 70;
    if (top < room) state.y += room - top;
    if (before !== `${state.x} ${state.y} ${state.scale}`) state.moved = true;
    place();
  }

  const fingers = new Map();
  let dragged = false;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    dragged = false;
  });
  window.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const others = [...fingers].filter(([id]) => id !== event.pointerId);
    const now = { x: event.clientX, y: event.clientY };
    if (others.length) {
      const box = canvas.getBoundingClientRect(), other = others[0][1];
      const apart = (point) => Math.hypot(point.x - other.x, point.y - other.y) || 1;
      zoom(apart(now) / apart(before), (now.x + other.x) / 2 - box.left, (now.y + other.y) / 2 - box.top);
      dragged = true;
    } else if (dragged || Math.hypot(now.x - before.x, now.y - before.y) > 3) {
      dragged = true;
      canvas.classList.add("moving");
      state.x += now.x - before.x;
      state.y += now.y - before.y;
      state.moved = true;
      place();
    } else return;
    fingers.set(event.pointerId, now);
  });
  for (const name of ["pointerup", "pointercancel"])
    window.addEventListener(name, (event) => { fingers.delete(event.pointerId); canvas.classList.remove("moving"); });
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const box = canvas.getBoundingClientRect();
    const lines = event.deltaMode === 1 ? 18 : 1;
    zoom(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0016)), event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });
  canvas.addEventListener("click", (event) => {
    if (dragged) return;
    const box = event.target.closest(".node");
    if (!box) return close();
    settle(box.dataset.id);
    box.focus({ preventScroll: true });
    open(box.dataset.id);
  });
  canvas.addEventListener("focusin", (event) => {
    const box = event.target.closest(".node");
    if (box) { settle(box.dataset.id); if (box.matches(":focus-visible")) reveal(box.dataset.id); }
  });

  // --- going around with keys -----------------------------------------------------------------

  // One node can be tabbed to: the one that was looked at last.
  function settle(id) {
    drawn.get(state.at)?.box.setAttribute("tabindex", "-1");
    state.at = id;
    drawn.get(id)?.box.setAttribute("tabindex", "0");
  }

  function focus(id) {
    if (!drawn.has(id)) return;
    settle(id);
    drawn.get(id).box.focus({ preventScroll: true });
    reveal(id);
  }

  function neighbour(key) {
    const here = drawn.get(state.at);
    if (!here) return null;
    const sideways = key === "ArrowLeft" || key === "ArrowRight";
    const [from, to] = key === "ArrowLeft" ? ["target", "source"] : ["source", "target"];
    let among = [...drawn.values()].filter((each) => each !== here);
    if (sideways) {
      const tied = new Set(routes.filter((route) => route[from] === state.at).map((route) => route[to]));
      const near = among.filter((each) => tied.has(each.node.id));
      const beyond = among.filter((each) => key === "ArrowLeft" ? each.x < here.x : each.x > here.x);
      among = near.length ? near : beyond;
    } else {
      among = among.filter((each) => key === "ArrowUp" ? each.y < here.y : each.y > here.y);
    }
    const far = (each) => Math.abs(each.x - here.x) * (sideways ? 1 : 4) + Math.abs(each.y - here.y);
    return among.sort((one, other) => far(one) - far(other))[0]?.node.id ?? null;
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || byId("keys").open) return;
    const writing = event.target === search;
    if (event.key === "Escape") {
      if (search.value) { search.value = ""; seek(""); if (writing) focus(state.at); } else close();
      return;
    }
    if (writing) {
      if (event.key === "Enter") next();
      return;
    }
    const inGraph = event.target === document.body || stage.contains(event.target);
    if (inGraph && event.key.startsWith("Arrow")) {
      const id = document.activeElement.closest?.(".node") ? neighbour(event.key) : state.at;
      if (id) focus(id);
    } else if ((event.key === "Enter" || event.key === " ") && event.target.closest?.(".node")) {
      open(state.at, true);
    } else if (event.key === "/") { search.focus(); search.select(); }
    else if (event.key === "+" || event.key === "=") zoom(1.25);
    else if (event.key === "-") zoom(0.8);
    else if (event.key === "0") fit();
    else if (event.key === "e") show(state.view === "steps" ? "all" : "steps");
    else if (event.key === "c") colour(state.colour === "cost" ? "status" : "cost");
    else if (event.key === "?") byId("keys").showModal();
    else return;
    event.preventDefault();
  });
  const stage = byId("stage");

  // --- search ---------------------------------------------------------------------------------

  function matches(text) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    return [...drawn.values()].filter(({ node }) => {
      const all = [node.label, node.detail, node.said, node.kind, ...node.members.map((each) => each.path)];
      const held = all.join(" ").toLowerCase();
      return words.every((word) => held.includes(word));
    });
  }

  function seek(text, aloud = true) {
    state.seeking = text;
    const found = text.trim() ? matches(text) : [];
    canvas.classList.toggle("seeking", Boolean(text.trim()));
    for (const each of drawn.values()) each.box.classList.toggle("found", found.includes(each));
    byId("found").textContent = text.trim() ? String(found.length) : "";
    if (aloud && text.trim()) tell(`${found.length} found`);
    return found;
  }

  function next() {
    const found = seek(search.value).sort((one, other) => one.x - other.x || one.y - other.y);
    if (!found.length) return;
    const at = found.findIndex((each) => each.node.id === state.open);
    const id = found[(at + 1) % found.length].node.id;
    settle(id);
    reveal(id);
    open(id);
  }

  search.addEventListener("input", () => seek(search.value));

  // --- details --------------------------------------------------------------------------------

  const fetched = new Map(Object.entries(data.details));
  const api = (what) => fetch(`${location.pathname.replace(/\/?$/, "/")}api/${what}`);

  async function detailsOf(path) {
    if (!fetched.has(path) && data.live) {
      try {
        const answer = await api(`step?path=${encodeURIComponent(path)}`);
        const told = await answer.json();
        Object.assign(data.texts, told.texts);
        fetched.set(path, told.step);
      } catch { return {}; }
    }
    return fetched.get(path) || {};
  }

  async function open(id, byKey = false) {
    const node = nodes.get(id);
    if (!node) return;
    Object.assign(state, { open: id, member: null });
    mark();
    const told = node.path ? await detailsOf(node.path) : {};
    if (state.open !== id) return;
    const first = panel.hidden;
    fill(node, told);
    panel.hidden = false;
    panel.scrollTop = 0;
    if (first && !state.moved) fit(); else reveal(id);
    if (byKey) panel.focus();
  }

  // News of a run: what one reads stays where it is, scrolled and unfolded as it was.
  async function refresh() {
    const { open: id, member: path } = state, node = nodes.get(id);
    if (!node) return close();
    const each = node.members.find((other) => other.path === path);
    const told = each || node.path ? await detailsOf(path || node.path) : {};
    if (state.open !== id || state.member !== path) return;
    const top = panel.scrollTop, title = (one) => one.querySelector("summary").textContent;
    const unfolded = [...panel.querySelectorAll("details[open]")].map(title);
    const within = panel.contains(document.activeElement);
    fill(each ? alone(each) : node, told);
    if (within) panel.focus({ preventScroll: true });
    for (const one of panel.querySelectorAll("details")) one.open = unfolded.includes(title(one));
    panel.scrollTop = top;
  }

  function close() {
    if (panel.hidden && !state.open) return;
    const back = panel.contains(document.activeElement);
    panel.hidden = true;
    state.open = null;
    mark();
    if (!state.moved) fit();
    if (back) focus(state.at);
  }

  const section = (title, ...children) =>
    children.flat().filter(Boolean).length ? make("section", {}, make("h3", {}, title), ...children.flat()) : null;
  const link = (id) => nodes.has(id)
    ? make("button", { class: "link", type: "button", onclick: () => go(id) }, nodes.get(id).label)
    : make("span", {}, id.replace(/^\w+:/, ""));

  function go(id) {
    if (!drawn.has(id) && data.views.all.places[id]) show("all");
    settle(id);
    reveal(id);
    open(id, true);
  }

  function fill(node, told) {
    const step = node.kind === "step";
    const facts = make("p", { class: `facts ${statusOf(node)}` });
    if (step) facts.append(make("span", { class: "badge" }, WORDS[statusOf(node)]));
    const more = step
      ? [node.seconds >= 0.0005 ? `${duration(node.seconds)} to evaluate` : "", told.place || "", ...(told.options || [])]
      : [{ input: "input", file: "file", code: "code" }[node.kind], node.detail];
    for (const each of more.filter(Boolean))
      facts.append(facts.childNodes.length ? ` · ${each}` : each);
    const heading = make("div", { class: "top" }, make("h2", {}, node.label),
      make("button", { class: "close", type: "button", "aria-label": "Close", title: "Close (Esc)", onclick: close }, "×"));
    panel.replaceChildren(heading, facts, ...[
      node.forecast ? make("p", { class: "facts" }, sentence(node.forecast)) : null,
      told.event?.reason && !told.why?.said.includes(told.event.reason) ? make("p", { class: "facts" }, told.event.reason) : null,
      section("Values", node.members.map(member)),
      explained(told.why),
      value(told),
      section("Depends on", rests(node, told)),
      section("Used by", uses(node.id)),
      section("Code", source(told)),
      history(told.history),
    ].filter(Boolean));
  }

  // One of many values, as a node of its own.
  const alone = (each) => ({ ...each, id: state.open, kind: "step", label: each.path, detail: "", members: [] });

  function member(each) {
    const name = make("button", { class: "link", type: "button" }, each.path);
    name.addEventListener("click", async () => {
      const from = state.open, told = await detailsOf(each.path);
      if (state.open !== from) return;
      state.member = each.path;
      fill(alone(each), told);
      panel.scrollTop = 0;
    });
    return make("div", { class: `item ${each.status}` }, name,
                make("span", { class: "value" }, [WORDS[each.status], each.seconds >= 0.0005 ? duration(each.seconds) : ""].filter(Boolean).join(", ")));
  }

  const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1) + ".";

  function explained(why) {
    if (!why) return null;
    const title = why.status === "hit" ? "Why it was a hit" : `Why it ran on ${when(why.run)}`;
    const parts = [make("p", {}, sentence(why.said))];
    for (const cause of why.causes) {
      parts.push(make("p", { class: "cause" }, "– ", cause.said,
        cause.step ? make("span", {}, " from ", link(`step:${cause.step}`)) : null));
      if (cause.details.length) parts.push(make("pre", {}, cause.details.join("\n")));
      if (cause.diff) parts.push(difference(cause.diff));
    }
    return section(title, parts);
  }

  function difference(text) {
    const box = make("pre", { class: "diff" });
    for (const line of text.split("\n")) {
      const kind = line.startsWith("@@") || /^(\+\+\+|---) /.test(line) ? "at"
        : line.startsWith("+") ? "add" : line.startsWith("-") ? "del" : "";
      box.append(make("span", { class: kind }, line + "\n"));
    }
    return box;
  }

  function value(told) {
    const preview = told.preview || {};
    return section("Value", [
      told.value ? make("p", { class: "mono" }, told.value) : null,
      preview.image ? make("img", { class: "picture", src: preview.image, alt: `Picture of ${told.path}` }) : null,
      preview.text ? make("pre", { tabindex: "0" }, preview.text) : null,
    ].filter(Boolean));
  }

  function item(head, text) {
    return make("div", { class: "item" }, head, text ? make("span", { class: "value" }, text) : null);
  }

  function rests(node, told) {
    const here = data.edges.filter((edge) => edge.target === node.id);
    const words = { plain: "by way of plain code", nested: "inside it", load: "read by load()" };
    const rows = [];
    for (const edge of here.filter((each) => each.source.startsWith("step:"))) {
      const how = edge.kinds.map((kind) => words[kind]).filter(Boolean);
      const names = edge.names.filter((name) => !name.startsWith("/"));
      rows.push(item(link(edge.source), [names.join(", "), ...how].filter(Boolean).join(" · ")));
    }
    const given = new Set(here.flatMap((edge) => edge.source.startsWith("step:") ? edge.names : []));
    for (const [name, said] of [...(told.inputs || []), ...(told.variables || [])])
      if (!given.has(name)) rows.push(item(make("span", { class: "mono" }, name), said));
    for (const file of told.files || []) rows.push(item(make("span", {}, file), "file"));
    for (const name of told.environment || []) rows.push(item(make("span", { class: "mono" }, `$${name}`), "environment"));
    for (const name of told.packages || []) rows.push(item(make("span", {}, name), "package"));
    if (!told.inputs)
      for (const edge of here.filter((each) => !each.source.startsWith("step:")))
        rows.push(item(link(edge.source), nodes.get(edge.source)?.detail));
    return rows;
  }

  function uses(id) {
    return data.edges.filter((edge) => edge.source === id).map((edge) => item(link(edge.target), ""));
  }

  function source(told) {
    if (!told.source && !told.code) return [];
    const parts = told.source ? [coloured(told.source)] : [];
    for (const piece of told.code || []) {
      const text = data.texts[piece.text] || "";
      parts.push(text
        ? make("details", {}, make("summary", {}, piece.name, make("span", {}, `${piece.file}:${piece.line}`)), coloured(text))
        : make("p", { class: "mono" }, `${piece.name} ${piece.file}`));
    }
    return parts;
  }

  const TOKENS = /(#[^\n]*)|("""[\s\S]*?"""|'''[\s\S]*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|\b(and|as|assert|async|await|break|class|continue|def|del|elif|else|except|False|finally|for|from|global|if|import|in|is|lambda|None|nonlocal|not|or|pass|raise|return|True|try|while|with|yield)\b/g;
  function coloured(text) {
    const box = make("pre", { tabindex: "0" });
    let end = 0;
    for (const found of text.matchAll(TOKENS)) {
      const kind = found[1] ? "c" : found[2] ? "s" : "k";
      box.append(text.slice(end, found.index), make("span", { class: kind }, found[0]));
      end = found.index + found[0].length;
    }
    box.append(text.slice(end));
    return box;
  }

  function history(versions) {
    if (!versions?.length) return null;
    const rows = versions.map((each) => make("tr", { class: each.current ? "current" : each.kept ? "" : "gone" },
      make("td", {}, each.name), make("td", {}, when(each.shown)), make("td", {}, duration(each.seconds)),
      make("td", {}, bytes(each.size))));
    const head = ["version", "shown", "took", "size"].map((word) => make("th", { scope: "col" }, word));
    return section("History", make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows)));
  }

  // --- choices --------------------------------------------------------------------------------

  function show(view) {
    state.view = view;
    draw();
    fit();
    if (state.open) reveal(state.open);
  }

  function colour(by) {
    state.colour = by;
    drawHead();
    drawLegend();
  }

  const THEMES = ["auto", "light", "dark"];
  function theme(name) {
    if (name === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = name;
    byId("theme").textContent = { auto: "Auto", light: "Light", dark: "Dark" }[name];
    byId("theme").setAttribute("aria-label", `Theme: ${name}`);
    byId("theme").dataset.now = name;
  }
  byId("theme").addEventListener("click", () => {
    const name = THEMES[(THEMES.indexOf(byId("theme").dataset.now) + 1) % 3];
    theme(name);
    remember("theme", name);
  });
  for (const button of document.querySelectorAll("[data-view]"))
    button.addEventListener("click", () => show(button.dataset.view));
  for (const button of document.querySelectorAll("[data-colour]"))
    button.addEventListener("click", () => colour(button.dataset.colour));
  for (const button of document.querySelectorAll("[data-zoom]"))
    button.addEventListener("click", () => ({ in: () => zoom(1.25), out: () => zoom(0.8), fit })[button.dataset.zoom]());
  byId("help").addEventListener("click", () => byId("keys").showModal());

  // --- live -----------------------------------------------------------------------------------

  const EVERY = 1000; // ms
  let version = "";
  async function poll() {
    try {
      if (!document.hidden) {
        const answer = await api(`graph?version=${encodeURIComponent(version)}`);
        if (answer.status === 200) renew(await answer.json());
        else if (answer.status !== 204) byId("summary").textContent = await answer.text();
      }
    } catch {
      byId("summary").textContent = "The server is gone; start `ddsimport ui` again.";
    }
    setTimeout(poll, EVERY);
  }

  function renew(now) {
    const first = !drawn.size, within = document.activeElement?.closest?.(".node");
    version = now.version;
    Object.assign(data, now);
    fetched.clear();
    draw();
    if (first || !state.moved) fit();
    if (within) drawn.get(state.at)?.box.focus({ preventScroll: true });
    if (state.open) refresh();
  }

  theme(THEMES.includes(remember("theme")) ? remember("theme") : "auto");
  draw();
  fit();
  window.addEventListener("resize", () => { if (!state.moved) fit(); });
  if (data.live) poll();
})();
