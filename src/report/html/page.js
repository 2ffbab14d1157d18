// The report's page: decodes the findings, filters them, draws what is left. Texts of evidence only ever
// become text nodes. What T() is given is a message; the program translates those it finds in this file.
"use strict";
(() => {

// ---- small things ----

const byId = id => document.getElementById(id);
const page = JSON.parse(byId("page").textContent);
const T = text => page.messages[text] || text;
const number = n => n.toLocaleString("en-US");

function element(tag, attributes, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) e.addEventListener(name.slice(2), value);
    else if (value === true) e.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) e.setAttribute(name, value);
  }
  e.append(...children.flat().filter(c => c !== null && c !== undefined && c !== ""));
  return e;
}

function svg(tag, attributes, ...children) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes || {})) e.setAttribute(name, value);
  e.append(...children);
  return e;
}

// Characters that show nothing, or turn the direction of what follows, are written out.
const odd = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
const escaped = c => c === "\n" ? "\\n" : c === "\r" ? "\\r" : c === "\t" ? "\\t"
  : "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0");
const shown = text => text.replace(odd, escaped);

// ---- data ----

// A text stands in full where it comes first and is its number ever after; so do rules.
const texts = [], rules = [];
const textOf = v => typeof v === "string" ? texts.push(v) - 1 : v;
const ruleOf = v => typeof v === "object" ? rules.push(v) - 1 : v;
const raw = JSON.parse(byId("rows").textContent);
byId("rows").remove();
const N = raw.length;
const time = new Float64Array(N), rule = new Uint32Array(N), host = new Uint32Array(N);
const rest = new Array(N); // channel, provider, code, source, record, count, first, [name, value, ...]
for (let i = 0; i < N; i++) { // in the order in which the program wrote them
  const r = raw[i];
  time[i] = r[0] === null ? NaN : r[0];
  rule[i] = ruleOf(r[1]);
  host[i] = textOf(r[2]);
  for (let k = 3; k < 7; k++) r[k] = textOf(r[k]);
  const fields = r[10];
  for (let k = 0; k < fields.length; k++) fields[k] = textOf(fields[k]);
  rest[i] = r;
  raw[i] = null;
}
const LEVELS = page.levels; // labels, 0 none to 5 critical
const level = i => rules[rule[i]].level;
let first = Infinity, last = -Infinity; // of all, in microseconds
for (let i = 0; i < N; i++) {
  if (time[i] < first) first = time[i];
  if (time[i] > last) last = time[i];
}
if (first > last) first = last = 0;

let utc = page.utc;
function clock(us, digits = 3) {
  if (Number.isNaN(us)) return T("no time");
  const ms = Math.floor(us / 1000);
  const date = new Date(utc ? ms : ms - new Date(ms).getTimezoneOffset() * 60000);
  const iso = date.toISOString();
  const micro = String(Math.floor(us) % 1000 + (us < 0 ? 1000 : 0)).padStart(3, "0");
  const text = iso.slice(0, 10) + " " + iso.slice(11, 19);
  return digits === 0 ? text : text + "." + iso.slice(20, 23) + (digits > 3 ? micro : "");
}
// What clock() wrote, or a start of it; NaN when it is no time.
function parseClock(text) {
  const m = /^(\d{4})-(\d\d?)(?:-(\d\d?))?(?:[ T](\d\d?)(?::(\d\d?)(?::(\d\d?)(?:\.(\d{1,6}))?)?)?)?Z?$/.exec(text.trim());
  if (!m) return NaN;
  const parts = [+m[1], +m[2] - 1, +(m[3] || 1), +(m[4] || 0), +(m[5] || 0), +(m[6] || 0)];
  const ms = utc ? Date.UTC(...parts) : new Date(...parts).getTime();
  return ms * 1000 + Number((m[7] || "").padEnd(6, "0"));
}

// ---- filter ----

const state = {
  levels: [true, true, true, true, true, true], text: "", host: -1, rule: -1, tactic: "", technique: "",
  from: -Infinity, to: Infinity, sort: "time", down: false, selected: -1, open: false, allHosts: false, more: {},
};
let list = new Uint32Array(0); // the findings that pass, in order
let counts = null;             // what they count to

// Lower case of every text, made when somebody searches; a search looks at each text once.
let folded = null;
function searcher(query) {
  const words = query.toLowerCase().split(/\s+/).filter(w => w);
  if (!words.length) return null;
  folded = folded || texts.map(t => t.toLowerCase());
  const sets = words.map(w => {
    const inText = new Uint8Array(texts.length), inRule = new Uint8Array(rules.length);
    folded.forEach((t, i) => { inText[i] = t.includes(w); });
    rules.forEach((r, i) => {
      inRule[i] = (r.title + "\n" + r.id + "\n" + r.tags.join("\n")).toLowerCase().includes(w);
    });
    return { inText, inRule };
  });
  return i => sets.every(s => {
    if (s.inRule[rule[i]] || s.inText[host[i]]) return true;
    const r = rest[i];
    for (let k = 3; k < 7; k++) if (s.inText[r[k]]) return true;
    return r[10].some(t => s.inText[t]);
  });
}

function apply() {
  const search = searcher(state.text), out = [];
  const bounded = state.from > -Infinity || state.to < Infinity;
  const c = counts = {
    level: new Array(6).fill(0), host: new Map(), rule: new Map(), tactic: new Map(), technique: new Map(),
  };
  const ruleOk = rules.map((r, n) => (state.rule < 0 || state.rule === n) &&
    (!state.tactic || r.tactics.includes(state.tactic)) && (!state.technique || r.techniques.includes(state.technique)));
  for (let i = 0; i < N; i++) {
    const r = rule[i];
    if (!ruleOk[r] || (state.host >= 0 && host[i] !== state.host)) continue;
    if (bounded && !(time[i] >= state.from && time[i] <= state.to)) continue;
    if (search && !search(i)) continue;
    const l = rules[r].level;
    c.level[l]++;
    if (!state.levels[l]) continue;
    out.push(i);
    c.rule.set(r, (c.rule.get(r) || 0) + 1);
    let h = c.host.get(host[i]);
    if (!h) c.host.set(host[i], h = new Array(6).fill(0));
    h[l]++;
  }
  for (const [r, n] of c.rule) {
    for (const t of rules[r].tactics) c.tactic.set(t, (c.tactic.get(t) || 0) + n);
    for (const t of rules[r].techniques) c.technique.set(t, (c.technique.get(t) || 0) + n);
  }
  list = Uint32Array.from(out);
  sortList();
}

function sortList() {
  const by = {
    time: null, // the findings are in this order already
    level: (a, b) => level(b) - level(a) || a - b,
    host: (a, b) => hostRank()[host[a]] - hostRank()[host[b]] || a - b,
    rule: (a, b) => (rules[rule[a]].title < rules[rule[b]].title ? -1 : rules[rule[a]].title > rules[rule[b]].title ? 1 : 0) || a - b,
  }[state.sort];
  if (by) list.sort(by);
  if (state.down) list.reverse();
}

let ranks = null;
function hostRank() {
  if (!ranks) {
    ranks = new Uint32Array(texts.length);
    [...new Set(host)].sort((a, b) => texts[a] < texts[b] ? -1 : 1).forEach((t, n) => { ranks[t] = n; });
  }
  return ranks;
}

// A change of the filter: everything follows.
function change(values) {
  Object.assign(state, values);
  state.selected = -1;
  update();
}

// ---- head, levels, filters ----

const ui = {};
const hostName = h => texts[h] ? shown(texts[h]) : T("(unknown)");
const label = l => LEVELS[l];

function drawHead() {
  const range = N && last ? clock(first, 0) + " – " + clock(last, 0) + (utc ? " UTC" : "") : "";
  ui.range.textContent = range;
  ui.zone.textContent = utc ? "UTC" : T("Local time");
}

function drawLevels() {
  ui.levels.replaceChildren(...[5, 4, 3, 2, 1, 0].filter(l => l || page.byLevel[0]).map(l =>
    element("button", {
      class: "level c" + l, "aria-pressed": String(state.levels[l]), title: T("Show or hide this level"),
      onclick: () => change({ levels: state.levels.map((on, k) => k === l ? !on : on) }),
    }, element("b", {}, number(counts.level[l])), element("span", {}, label(l)))));
}

function chip(text, values) {
  return element("button", { class: "chip", title: T("Remove this filter"), onclick: () => change(values) },
    element("span", {}, text), "×");
}

function drawFilters() {
  const chips = [];
  if (state.host >= 0) chips.push(chip(T("Host") + ": " + hostName(state.host), { host: -1 }));
  if (state.rule >= 0) chips.push(chip(T("Rule") + ": " + shown(rules[state.rule].title), { rule: -1 }));
  if (state.tactic) chips.push(chip(T("Tactic") + ": " + page.tactics[state.tactic], { tactic: "" }));
  if (state.technique) chips.push(chip(state.technique, { technique: "" }));
  const any = chips.length || state.text || state.from > -Infinity || state.to < Infinity || state.levels.includes(false);
  if (any) chips.push(element("button", { class: "clear", onclick: clearAll }, T("Clear all")));
  ui.chips.replaceChildren(...chips);
  ui.from.value = state.from > -Infinity ? clock(state.from) : "";
  ui.to.value = state.to < Infinity ? clock(state.to) : "";
}

function clearAll() {
  ui.text.value = "";
  change({
    levels: state.levels.map(() => true), text: "", host: -1, rule: -1, tactic: "", technique: "",
    from: -Infinity, to: Infinity,
  });
}

function timeInput(key, title, none) {
  return element("input", {
    class: "time", "aria-label": title, placeholder: title, title: T("Year-month-day hour:minute:second"),
    onchange: e => {
      const value = e.target.value.trim() ? parseClock(e.target.value) : none;
      e.target.classList.toggle("bad", Number.isNaN(value));
      if (!Number.isNaN(value)) change({ [key]: value });
    },
  });
}

// ---- charts ----

const MINUTE = 60e6, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
const STEPS = [1e3, 1e4, 1e5, 1e6, 5e6, 15e6, 30e6, MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR,
  12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 91 * DAY, 365 * DAY];

// Equal steps over what is shown: { from, step, n }.
function scale(most, least) {
  let a = Infinity, b = -Infinity;
  for (const i of list) {
    if (time[i] < a) a = time[i];
    if (time[i] > b) b = time[i];
  }
  if (a > b) return null;
  const step = STEPS.find(s => s >= least && (b - a) / s <= most - 1) || Math.ceil((b - a) / most);
  const shift = utc ? 0 : -new Date(a / 1000).getTimezoneOffset() * MINUTE; // steps begin with local days
  const from = Math.floor((a + shift) / step) * step - shift;
  return { from, step, n: Math.floor((b - from) / step) + 1 };
}

function stepLabel(us, step) {
  const text = clock(us, 0);
  return step >= DAY ? text.slice(0, 10) : step >= MINUTE ? text.slice(5, 16) : text.slice(11, 19);
}

function axis(s, x, width, y) {
  const out = [], per = Math.max(1, Math.ceil(s.n / Math.max(2, Math.floor(width / 110))));
  for (let k = 0; k < s.n; k += per)
    if (!k || k * width / s.n < width - 66)
      out.push(svg("text", { x: x + k * width / s.n, y }, stepLabel(s.from + k * s.step, s.step)));
  return out;
}

function drawTimeline() {
  const box = ui.timeline, s = scale(120, 1e3);
  box.replaceChildren();
  if (!s) { box.append(element("div", { class: "empty" }, T("Nothing to show"))); return; }
  const width = Math.max(260, box.clientWidth), height = 150, left = 44, top = 6;
  const sums = Array.from({ length: s.n }, () => new Array(6).fill(0));
  for (const i of list) if (time[i] >= s.from) sums[Math.floor((time[i] - s.from) / s.step)][level(i)]++;
  const most = Math.max(1, ...sums.map(b => b.reduce((a, n) => a + n, 0)));
  const w = (width - left) / s.n, bars = [], hits = [];
  sums.forEach((b, k) => {
    let y = top + height;
    for (let l = 5; l >= 0; l--) {
      if (!b[l]) continue;
      const h = Math.max(1.5, b[l] / most * height);
      y -= h;
      bars.push(svg("rect", { class: "bar c" + l, x: left + k * w, y, width: Math.max(1, w - (w > 3 ? 1 : 0)), height: h }));
    }
    const from = s.from + k * s.step;
    const tip = clock(from, 0) + " – " + clock(from + s.step, 0) + "\n" +
      [5, 4, 3, 2, 1, 0].filter(l => b[l]).map(l => label(l) + ": " + number(b[l])).join("\n");
    hits.push(svg("rect", { class: "bar-hit", x: left + k * w, y: top, width: w, height }, svg("title", {}, tip)));
  });
  const drag = svg("rect", { class: "drag", y: top, height, width: 0, x: 0 });
  const lines = [0, .5, 1].map(f => svg("line", { class: "grid-line", x1: left, x2: width, y1: top + height * (1 - f), y2: top + height * (1 - f) }));
  const ticks = [.5, 1].filter(f => most * f >= 1).map(f => svg("text", { x: left - 6, y: top + height * (1 - f) + 4, "text-anchor": "end" }, number(Math.round(most * f))));
  const chart = svg("svg", { height: height + 26, viewBox: `0 0 ${width} ${height + 26}`, role: "img", "aria-label": T("Findings over time") },
    ...lines, ...ticks, ...bars, drag, ...hits, ...axis(s, left, width - left, top + height + 16));
  box.append(chart);

  // dragging over bars chooses their time
  const place = e => Math.min(s.n - 1, Math.max(0, Math.floor((e.offsetX - left) / w)));
  let start = -1;
  chart.addEventListener("pointerdown", e => { if (e.offsetX >= left) { start = place(e); chart.setPointerCapture(e.pointerId); } });
  chart.addEventListener("pointermove", e => {
    if (start < 0) return;
    const a = Math.min(start, place(e)), b = Math.max(start, place(e));
    drag.setAttribute("x", left + a * w);
    drag.setAttribute("width", (b - a + 1) * w);
  });
  chart.addEventListener("pointercancel", () => { start = -1; drag.setAttribute("width", 0); });
  chart.addEventListener("pointerup", e => {
    if (start < 0) return;
    const a = Math.min(start, place(e)), b = Math.max(start, place(e));
    start = -1;
    change({ from: s.from + a * s.step, to: s.from + (b + 1) * s.step - 1 });
  });
}

const gravity = (a, b) => { // of two counts by level: more of the highest first
  for (let l = 5; l >= 0; l--) if (a[l] !== b[l]) return b[l] - a[l];
  return 0;
};

function drawHeat() {
  const box = ui.heat, hosts = [...counts.host].sort((a, b) => gravity(a[1], b[1]));
  const s = scale(Math.max(24, Math.min(96, Math.floor(box.clientWidth / 12))), HOUR);
  box.replaceChildren();
  if (!s) { box.append(element("div", { class: "empty" }, T("Nothing to show"))); return; }
  const rowsShown = state.allHosts ? hosts.slice(0, 500) : hosts.slice(0, 15);
  const width = Math.max(260, box.clientWidth), left = Math.min(190, width * .3), h = 20;
  const w = (width - left) / s.n, at = new Map(rowsShown.map(([t], k) => [t, k]));
  const cells = rowsShown.map(() => new Map());
  for (const i of list) {
    const k = at.get(host[i]);
    if (k === undefined || Number.isNaN(time[i])) continue;
    const column = Math.floor((time[i] - s.from) / s.step);
    let c = cells[k].get(column);
    if (!c) cells[k].set(column, c = new Array(6).fill(0));
    c[level(i)]++;
  }
  let most = 1;
  for (const row of cells) for (const c of row.values()) most = Math.max(most, c.reduce((a, n) => a + n, 0));
  const parts = [];
  rowsShown.forEach(([t], k) => {
    const name = hostName(t), room = Math.floor(left / 7.2);
    const text = svg("text", { class: "host", x: 0, y: k * h + 14 }, name.length > room ? name.slice(0, room - 1) + "…" : name, svg("title", {}, name));
    text.addEventListener("click", () => change({ host: t }));
    parts.push(text, svg("rect", { class: "ground", x: left, y: k * h + 1, width: width - left, height: h - 2, rx: 2 }));
    for (const [column, c] of cells[k]) {
      const sum = c.reduce((a, n) => a + n, 0), worst = 5 - [...c].reverse().findIndex(n => n);
      const from = s.from + column * s.step;
      const cell = svg("rect", {
        class: "cell c" + worst, x: left + column * w + .5, y: k * h + 1, width: Math.max(2, w - 1), height: h - 2, rx: 2,
        "fill-opacity": (.35 + .65 * Math.log(1 + sum) / Math.log(1 + most)).toFixed(2),
      }, svg("title", {}, name + "\n" + clock(from, 0) + " – " + clock(from + s.step, 0) + "\n" +
        [5, 4, 3, 2, 1, 0].filter(l => c[l]).map(l => label(l) + ": " + number(c[l])).join("\n")));
      cell.addEventListener("click", () => change({ host: t, from, to: from + s.step - 1 }));
      parts.push(cell);
    }
  });
  const bottom = rowsShown.length * h;
  box.append(svg("svg", { height: bottom + 20, viewBox: `0 0 ${width} ${bottom + 20}`, role: "img", "aria-label": T("Hosts by time") },
    ...parts, ...axis(s, left, width - left, bottom + 15)));
  if (hosts.length > 15)
    box.append(moreButton(state.allHosts, hosts.length - 15, () => { state.allHosts = !state.allHosts; drawHeat(); }));
}

// ---- lists ----

function moreButton(open, n, toggle) {
  return element("button", { class: "more", onclick: toggle }, open ? T("Show fewer") : T("Show %n more").replace("%n", number(n)));
}

function meter(parts, most) {
  const bar = element("span", { class: "meter" });
  for (const [c, n] of parts) {
    const i = element("i", { class: c });
    i.style.width = Math.max(.5, n / most * 100) + "%";
    bar.append(i);
  }
  return bar;
}

function item(name, n, chosen, onclick, options = {}) {
  return element("button", { class: "item " + (options.class || "plain"), "aria-pressed": String(chosen), title: name, onclick },
    element("span", { class: "name" }, name), element("span", { class: "n" }, number(n)), options.meter);
}

function drawList(key, items) {
  const box = ui[key], few = 10, open = state.more[key];
  box.replaceChildren(...(open ? items.slice(0, 500) : items.slice(0, few)));
  if (!items.length) box.append(element("div", { class: "empty" }, T("Nothing to show")));
  if (items.length > few)
    box.append(moreButton(open, items.length - few, () => { state.more[key] = !open; drawLists(); }));
}

function drawLists() {
  const toggle = (key, value, none) => () => change({ [key]: state[key] === value ? none : value });
  const byRule = [...counts.rule].sort((a, b) => rules[b[0]].level - rules[a[0]].level || b[1] - a[1]);
  drawList("rules", byRule.map(([r, n]) => item(shown(rules[r].title), n, state.rule === r, toggle("rule", r, -1), { class: "c" + rules[r].level })));
  const byHost = [...counts.host].sort((a, b) => gravity(a[1], b[1]));
  const sum = c => c.reduce((a, n) => a + n, 0), most = Math.max(1, ...byHost.map(h => sum(h[1])));
  drawList("hosts", byHost.map(([t, c]) => item(hostName(t), sum(c), state.host === t, toggle("host", t, -1),
    { meter: meter([5, 4, 3, 2, 1, 0].filter(l => c[l]).map(l => ["c" + l, c[l]]), most) })));
  const tactics = Object.keys(page.tactics).filter(t => counts.tactic.get(t));
  const mostTactic = Math.max(1, ...counts.tactic.values());
  ui.tactics.replaceChildren(...tactics.map(t => item(page.tactics[t], counts.tactic.get(t), state.tactic === t, toggle("tactic", t, ""),
    { meter: meter([["", counts.tactic.get(t)]], mostTactic) })));
  if (!tactics.length) ui.tactics.append(element("div", { class: "empty" }, T("Nothing to show")));
  const techniques = [...counts.technique].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  ui.techniques.replaceChildren(...techniques.slice(0, 60).map(([t, n]) => item(t, n, state.technique === t, toggle("technique", t, ""))));
  if (!techniques.length) ui.techniques.append(element("div", { class: "empty" }, T("Nothing to show")));
}

// ---- the table: only the rows in sight are in the page ----

const rowHeight = () => matchMedia("(max-width: 760px)").matches ? 58 : 32;

function brief(i) {
  const fields = rest[i][10], out = [];
  for (let k = 0; k < fields.length && out.length < 6; k += 2)
    if (texts[fields[k + 1]]) out.push(shown(texts[fields[k]]) + "=" + shown(texts[fields[k + 1]].slice(0, 300)));
  return out.join("  ");
}

function tableRow(k, h) {
  const i = list[k], r = rules[rule[i]];
  const row = element("div", {
    class: "row", role: "row", id: "row" + k, "aria-rowindex": k + 2, "aria-selected": String(k === state.selected),
    onclick: () => select(k, true),
  },
    element("span", { class: "when", role: "cell" }, clock(time[i])),
    element("span", { class: "badge c" + r.level, role: "cell" }, label(r.level)),
    element("span", { class: "host", role: "cell" }, hostName(host[i])),
    element("span", { class: "rule", role: "cell" }, shown(r.title)),
    element("span", { role: "cell" }, r.techniques[0] || ""),
    element("span", { class: "what", role: "cell" }, brief(i)));
  row.style.top = k * h + "px";
  return row;
}

function drawRows() {
  const h = rowHeight(), from = Math.max(0, Math.floor(ui.scroll.scrollTop / h) - 8);
  const to = Math.min(list.length, Math.ceil((ui.scroll.scrollTop + ui.scroll.clientHeight) / h) + 8);
  const out = [];
  for (let k = from; k < to; k++) out.push(tableRow(k, h));
  ui.room.replaceChildren(...out);
  ui.room.style.height = list.length * h + "px";
  if (!list.length) ui.room.append(element("div", { class: "empty row" }, T("Nothing to show")));
  ui.scroll.setAttribute("aria-activedescendant", state.selected >= 0 ? "row" + state.selected : "");
}

function drawTable() {
  ui.count.textContent = list.length === N ? number(N) : number(list.length) + " / " + number(N);
  for (const [key, head] of Object.entries(ui.heads)) {
    const sorted = state.sort === key;
    head.setAttribute("aria-sort", sorted ? state.down ? "descending" : "ascending" : "none");
    head.lastChild.textContent = sorted ? state.down ? " ▼" : " ▲" : "";
  }
  ui.scroll.setAttribute("aria-rowcount", list.length + 1);
  drawRows();
  drawDetail();
}

function select(k, open) {
  if (k < 0 || k >= list.length) return;
  state.selected = k;
  if (open) state.open = true;
  const h = rowHeight(), top = k * h;
  if (top < ui.scroll.scrollTop) ui.scroll.scrollTop = top;
  if (top + h > ui.scroll.scrollTop + ui.scroll.clientHeight) ui.scroll.scrollTop = top + h - ui.scroll.clientHeight;
  drawRows();
  drawDetail();
}

function tableKey(e) {
  const pageRows = Math.max(1, Math.floor(ui.scroll.clientHeight / rowHeight()) - 1), s = state.selected;
  const to = { ArrowDown: s + 1, ArrowUp: s - 1, PageDown: s + pageRows, PageUp: s - pageRows, Home: 0, End: list.length - 1, Enter: Math.max(s, 0) }[e.key];
  if (to === undefined || !list.length) return;
  e.preventDefault();
  select(Math.min(list.length - 1, Math.max(0, to)), e.key === "Enter");
}

// ---- one finding ----

function value(text) { // with what is odd in another colour
  const out = [];
  let at = 0;
  for (const m of text.matchAll(odd)) {
    out.push(text.slice(at, m.index), element("span", { class: "odd" }, escaped(m[0])));
    at = m.index + m[0].length;
  }
  out.push(text.slice(at));
  return out;
}

function pairs(list) {
  return element("dl", {}, list.filter(p => p[1] !== "" && p[1] !== null).flatMap(([name, text]) =>
    [element("dt", {}, shown(String(name))), element("dd", {}, value(String(text)))]));
}

function copyText(i) {
  const r = rules[rule[i]], f = rest[i][10], lines = [clock(time[i], 6) + (utc ? " UTC" : ""), label(r.level), texts[host[i]], r.title];
  for (let k = 0; k < f.length; k += 2) lines.push(texts[f[k]] + ": " + texts[f[k + 1]]);
  return lines.join("\n");
}

const link = (url, text) => element("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, text);

function drawDetail() {
  const open = Boolean(state.open) && state.selected >= 0;
  ui.findings.classList.toggle("open", open);
  ui.detail.hidden = !open;
  if (!open) return;
  const i = list[state.selected], r = rules[rule[i]], d = rest[i], fields = d[10], shownFields = [];
  for (let k = 0; k < fields.length; k += 2) shownFields.push([texts[fields[k]], texts[fields[k + 1]]]);
  const event = [[T("Time"), clock(time[i], 6) + (utc ? " UTC" : "")], [T("Host"), texts[host[i]]], [T("Channel"), texts[d[3]]],
    [T("Provider"), texts[d[4]]], [T("Event"), texts[d[5]]], [T("Source"), texts[d[6]]], [T("Record"), d[7]]];
  if (d[8] > 1) event.push([T("Events"), number(d[8])], [T("First event"), d[9] === null ? "" : clock(d[9], 6)]);
  const tactics = r.tactics.map(t => page.tactics[t]).join(", ");
  ui.detail.replaceChildren(
    element("div", { class: "bar" }, element("span", { class: "badge c" + r.level }, label(r.level)),
      element("button", { class: "copy", onclick: () => navigator.clipboard && navigator.clipboard.writeText(copyText(i)) }, T("Copy")),
      element("button", { class: "copy", onclick: () => { state.open = false; drawTable(); ui.scroll.focus(); } }, T("Close"))),
    element("h3", {}, shown(r.title)),
    element("p", {}, tactics, tactics && r.techniques.length ? " · " : "", ...r.techniques.flatMap((t, k) =>
      [k ? ", " : "", link("https://attack.mitre.org/techniques/" + t.replace(".", "/") + "/", t)])),
    element("h4", {}, T("Event")), pairs(event),
    shownFields.length ? element("h4", {}, T("Fields")) : "", shownFields.length ? pairs(shownFields) : "",
    element("h4", {}, T("Rule")),
    r.description ? element("p", {}, ...value(r.description)) : "",
    pairs([[T("Id"), r.id], [T("File"), r.path], [T("Tags"), r.tags.join(", ")], [T("False positives"), r.falsepositives.join("\n")],
      [T("References"), r.references.join("\n")]]),
    element("p", {}, element("button", { class: "copy", onclick: () => change({ host: host[i] }) }, T("Only this host")), " ",
      element("button", { class: "copy", onclick: () => change({ rule: rule[i] }) }, T("Only this rule"))));
  ui.detail.scrollTop = 0;
}

// ---- print: the list as a plain table ----

const PRINTED = 1000;
function preparePrint() {
  const head = [T("Time"), T("Level"), T("Host"), T("Rule"), "ATT&CK", T("Fields")];
  const rows = [];
  for (let k = 0; k < Math.min(PRINTED, list.length); k++) {
    const i = list[k], r = rules[rule[i]];
    rows.push(element("tr", {}, ...[clock(time[i], 0), label(r.level), hostName(host[i]), shown(r.title), r.techniques.join(" "), brief(i)]
      .map(t => element("td", {}, t))));
  }
  byId("print").replaceChildren(element("table", {}, element("thead", {}, element("tr", {}, ...head.map(t => element("th", {}, t)))),
    element("tbody", {}, ...rows)),
    list.length > PRINTED ? element("p", {}, T("and %n more").replace("%n", number(list.length - PRINTED))) : "");
}

// ---- build ----

function card(size, title, box, note) {
  return element("section", { class: "card " + size }, element("h2", {}, title, element("small", {}, note || "")), box);
}

function build() {
  ui.range = element("span", { class: "range" });
  ui.zone = element("button", { title: T("UTC or local time"), onclick: () => { utc = !utc; update(); } });
  const theme = element("button", { title: T("Light or dark"), onclick: () => {
    const dark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    document.documentElement.dataset.theme = dark ? "light" : "dark";
  } }, "◐");
  ui.levels = element("div", { class: "levels" });
  let wait = 0;
  ui.text = element("input", { class: "text", type: "search", placeholder: T("Search all fields ( / )"), "aria-label": T("Search all fields ( / )"),
    oninput: e => { clearTimeout(wait); wait = setTimeout(() => change({ text: e.target.value }), 150); } });
  ui.from = timeInput("from", T("From"), -Infinity);
  ui.to = timeInput("to", T("To"), Infinity);
  ui.chips = element("div", { class: "chips" });
  for (const key of ["timeline", "heat"]) ui[key] = element("div", { class: "chart" });
  for (const key of ["rules", "hosts", "tactics"]) ui[key] = element("div", { class: "list" });
  ui.techniques = element("div", { class: "techniques" });
  ui.count = element("small", {});
  ui.heads = {};
  const heads = [["time", T("Time")], ["level", T("Level")], ["host", T("Host")], ["rule", T("Rule")]].map(([key, title]) =>
    ui.heads[key] = element("button", { role: "columnheader", onclick: () => {
      state.down = state.sort === key && !state.down;
      state.sort = key;
      state.selected = -1;
      apply();
      drawTable();
    } }, title, element("span", {})));
  ui.room = element("div", { class: "room", role: "rowgroup" });
  ui.scroll = element("div", { class: "scroll", role: "table", tabindex: 0, "aria-label": T("Findings"), onscroll: drawRows, onkeydown: tableKey }, ui.room);
  ui.detail = element("aside", { class: "detail", "aria-live": "polite", hidden: true });
  ui.findings = element("section", { class: "card findings" },
    element("div", { class: "table" }, element("div", { class: "heads" }, ...heads,
      element("button", { tabindex: -1 }, "ATT&CK"), element("button", { tabindex: -1 }, T("Fields"))), ui.scroll), ui.detail);
  const notice = page.leftOut ? element("p", { class: "notice" },
    T("%n findings are not in this page, which would grow too large; JSON lines hold them all.").replace("%n", number(page.leftOut))) : "";
  byId("main").append(
    element("header", {}, element("span", { class: "brand" }, "hikeshi"), element("h1", {}, shown(page.title)), ui.range,
      element("span", { class: "tools" }, ui.zone, theme, element("button", { onclick: () => print() }, T("Print")))),
    notice, ui.levels,
    element("div", { class: "filters", role: "search" }, ui.text, ui.from, ui.to, ui.chips),
    element("div", { class: "grid" },
      card("w12", T("Findings over time"), ui.timeline, T("drag to choose a time")),
      card("w12", T("Hosts by time"), ui.heat, T("the gravest first; the colour is that of the highest level")),
      card("w5", T("By rule"), ui.rules), card("w4", T("By host"), ui.hosts), card("w3", T("By tactic"), ui.tactics),
      card("w12", T("By technique"), ui.techniques)),
    element("h2", { class: "title" }, T("All findings"), ui.count), ui.findings, element("div", { id: "print" }));
}

function update() {
  apply();
  drawHead();
  drawLevels();
  drawFilters();
  drawTimeline();
  drawHeat();
  drawLists();
  ui.scroll.scrollTop = 0;
  drawTable();
}

build();
update();
addEventListener("beforeprint", preparePrint);
let resized = 0;
addEventListener("resize", () => { clearTimeout(resized); resized = setTimeout(() => { drawTimeline(); drawHeat(); drawRows(); }, 120); });
addEventListener("keydown", e => {
  const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(e.target.tagName);
  if (e.key === "/" && !typing) { e.preventDefault(); ui.text.focus(); }
  if (e.key === "Escape" && state.open) { state.open = false; drawTable(); ui.scroll.focus(); }
});
})();
