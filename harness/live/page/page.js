// Shows the live server's messages. Their text is only ever set as text, never as markup.
"use strict";

const SOURCES = ["mic", "system"];
const LIMITS = [0.8, 1.0, 1.2];
const MAX_FINALS = 500, MAX_NOTICES = 8, MAX_POINTS = 120;
const RETRY_MS = 2000;

const byId = (id) => document.getElementById(id);
const points = [];
let socket = null;

function element(kind, className, text) {
  const made = document.createElement(kind);
  made.className = className;
  made.textContent = text;
  return made;
}

function time(seconds) {
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
}

function line(kind, source, at) {
  const row = element(kind, `line ${source}`, "");
  row.append(element("span", "who", source), element("span", "when", at));
  return row;
}

const show = {
  ready(message) {
    byId("session").textContent =
      `${message.session} · ${message.provider} ${message.model.split("/").pop()} · ` +
      `${message.chunk_seconds} s chunks`;
    byId("partials").replaceChildren();
    for (const source of message.sources) partialOf(source);
    level(message.level);
    byId("reset").disabled = false;
  },
  partial(message) {
    const what = partialOf(message.source);
    const words = message.text.split(/\s+/);
    const stable = words.slice(0, message.stable_words).join(" ");
    const rest = words.slice(message.stable_words).join(" ");
    what.replaceChildren(element("span", "stable", stable), ` ${rest}`);
  },
  final(message) {
    partialOf(message.source).replaceChildren();
    if (!message.text.trim()) return;
    const finals = byId("finals");
    const below = finals.scrollHeight - finals.scrollTop - finals.clientHeight < 40;
    const row = line("li", message.source, time(message.t0));
    row.append(element("span", "what", message.text));
    finals.append(row);
    while (finals.children.length > MAX_FINALS) finals.firstChild.remove();
    if (below) finals.scrollTop = finals.scrollHeight;
  },
  metrics(message) {
    const states = Object.values(message.sources);
    const sum = (field) => states.reduce((total, state) => total + state[field], 0);
    byId("rtf").textContent = message.rtf === null ? "–" : message.rtf.toFixed(2);
    byId("queue").textContent = `${sum("queued_s").toFixed(1)} s`;
    byId("dropped").textContent = String(sum("dropped_chunks"));
    byId("memory").textContent = `${Math.round(message.rss_bytes / 2 ** 20)} MiB`;
    points.push(message.rtf);
    if (points.length > MAX_POINTS) points.shift();
    level(message.level);
    draw();
  },
  status(message) {
    level(message.level);
    notice(`${message.level}: ${message.message} (${message.cause})`, message.level !== "normal");
    for (const action of message.actions) notice(action);
  },
  backpressure(message) {
    notice(`${message.source}: queue ${Math.round(100 * message.level)} % full, ${message.reason}`);
  },
  warning(message) { notice(message.message); },
  error(message) { notice(message.message, true); },
  ended(message) {
    notice(`${message.session} ended, ${message.finals} finals`);
    byId("reset").disabled = true;
    watch();  // for the next session
  },
};

function partialOf(source) {
  if (!SOURCES.includes(source)) source = SOURCES[0];
  const partials = byId("partials");
  let row = partials.querySelector(`.${source}`);
  if (row === null) {
    row = line("div", source, "");
    row.append(element("span", "what", ""));
    partials.append(row);
  }
  return row.querySelector(".what");
}

function level(name) {
  for (const step of byId("ladder").children) {
    step.classList.toggle("here", step.dataset.level === name);
  }
}

function notice(text, bad = false) {
  const list = byId("notices");
  list.prepend(element("li", bad ? "bad" : "", text));
  while (list.children.length > MAX_NOTICES) list.lastChild.remove();
}

function svg(kind, attributes, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", kind);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.textContent = text;
  return made;
}

function draw() {
  const known = points.filter((rtf) => rtf !== null);
  const top = Math.max(1.4, ...known);
  const y = (rtf) => 85 - (80 * rtf) / top;
  const x = (index) => 240 - 2 * (points.length - 1 - index);
  const parts = LIMITS.flatMap((limit) => [
    svg("line", { class: "limit", x1: 14, x2: 240, y1: y(limit), y2: y(limit) }),
    svg("text", { class: "limit-text", x: 1, y: y(limit) + 2 }, limit.toFixed(1)),
  ]);
  const path = points.map((rtf, index) => (rtf === null ? "" : `${x(index)},${y(rtf)}`));
  parts.push(svg("polyline", { class: "curve", points: path.filter(Boolean).join(" ") }));
  byId("chart").replaceChildren(...parts);
}

function watch() {
  if (socket !== null) { socket.onclose = null; socket.close(); }
  // The only header that a page can set is the subprotocol; a token never goes into the URL.
  const token = byId("token").value;
  const bytes = new TextEncoder().encode(token);
  const coded = btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const names = ["echobench.v1", ...(token ? [`bearer.${coded}`] : [])];
  let opened = false;
  socket = new WebSocket(`ws://${location.host}/live`, names);
  socket.onopen = () => {
    opened = true;
    byId("entry").hidden = true;
    byId("session").textContent = "waiting for a session";
    socket.send(JSON.stringify({ type: "watch" }));
  };
  socket.onmessage = (event) => {
    const message = JSON.parse(event.data);
    if (Object.hasOwn(show, message.type)) show[message.type](message);
  };
  socket.onclose = (event) => {
    byId("reset").disabled = true;
    if (opened) {
      byId("session").textContent = `disconnected: ${event.reason || event.code}`;
      setTimeout(watch, RETRY_MS);
    } else {
      byId("session").textContent = "refused: a token may be needed, or the server has stopped";
      byId("entry").hidden = false;
    }
  };
}

byId("entry").addEventListener("submit", (event) => { event.preventDefault(); watch(); });
byId("reset").addEventListener("click", () => {
  socket.send(JSON.stringify({ type: "reset", reason: "asked for on the page" }));
});
draw();
watch();
