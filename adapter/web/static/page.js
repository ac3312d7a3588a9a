// The page: asks for all workloads every 5 s, for their history every 30 s. Texts go in as text, never as HTML.
"use strict";

const state = document.getElementById("state");
const span = document.getElementById("span");
const main = document.getElementById("workloads");
const charts = new Map(); // "workload signal" -> uPlot

const element = (name, text, className) => {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
};

const number = (value) => new Intl.NumberFormat("en", { maximumSignificantDigits: 5 }).format(value);
const quantity = (value, unit) => (value === null ? "—" : `${number(value)}${unit && unit !== "1" ? ` ${unit}` : ""}`);
const shown = (metric, unit) => quantity(metric.error ? null : metric.value, unit);

function figures(pairs) {
  const list = element("dl");
  for (const [name, text] of pairs) {
    const group = element("div");
    group.append(element("dt", name), element("dd", text));
    list.append(group);
  }
  return list;
}

function why(reasons, metric) {
  if (metric.error) return element("p", metric.error, "error");
  return element("p", reasons.map((r) => r.text).join("; ") || "what its signals call for", "reasons");
}

function describe(workload) {
  return [
    figures([
      ["replicas", shown(workload.replicas)],
      ["schedule floor", shown(workload.floor)],
      ["covers", `quantile ${number(workload.quantile)} of the next ${number(workload.lead_ms / 60000)} min`],
    ]),
    why(workload.reasons, workload.replicas),
  ];
}

function describeSignal(signal) {
  return [
    figures([
      ["measured", shown(signal.raw, signal.unit)],
      ["predicted", shown(signal.predicted, signal.unit)],
      ["served", shown(signal.scaling, signal.unit)],
    ]),
    why(signal.reasons, signal.scaling),
  ];
}

// Per lead what became of the last day's forecasts of the largest load, beside the last value with its own quantile.
function showTrust(box, trust) {
  const cells = (trust?.cells ?? []).filter((cell) => cell.target === "max" && cell.compared > 0);
  if (!cells.length) return box.replaceChildren();
  const row = (name, texts) => {
    const line = element("tr");
    line.append(element("th", name), ...texts.map((text) => element(name ? "td" : "th", text)));
    return line;
  };
  const share = (value) => (value === null ? "—" : `${number(value * 100)} %`);
  const times = (value) => (value === null ? "—" : `× ${number(value)}`);
  const table = element("table");
  table.append(row("", ["covered", "by the last value", "loss", "in vain", "bias", ""]));
  for (const cell of cells) {
    const verdict = cell.trusted ? "trusted" : cell.reasons.map((r) => r.text).join("; ");
    const ratios = [times(cell.loss_ratio), times(cell.over_ratio), share(cell.bias_ratio)];
    table.append(row(`${cell.lead_ms / 60000} min`, [share(cell.coverage), share(cell.baseline_coverage), ...ratios, verdict]));
  }
  const doubted = cells.filter((cell) => !cell.trusted).length;
  box.replaceChildren(element("summary", `forecast: ${doubted ? `${doubted} of ${cells.length} leads are not trusted` : "trusted"}`), table);
}

function place(id, build) {
  let found = document.getElementById(id);
  if (!found) {
    found = build();
    found.id = id;
  }
  return found;
}

function title(workload) {
  const heading = element("h2");
  const link = heading.appendChild(element("a", workload.id));
  link.href = addressOf(workload.id);
  return heading;
}

function live(id, parts) {
  const box = place(id, () => element("div"));
  box.replaceChildren(...parts);
  return box;
}

function signalParts(workload, signal) {
  const key = `${workload.id} ${signal.name}`;
  const chart = place(key, () => element("div", undefined, "chart"));
  const seasons = place(`${key} seasons`, () => element("details"));
  const trust = place(`${key} trust`, () => element("details"));
  showTrust(trust, signal.trust);
  chart.dataset.path = [workload.namespace, workload.resource, workload.name, signal.name].map(encodeURIComponent).join("/");
  const name = place(`${key} name`, () => element("h3", signal.name));
  return [name, live(`${key} now`, describeSignal(signal)), chart, trust, seasons];
}

function draw(answer) {
  state.textContent = answer.ready ? `${answer.workloads.length} workloads, ${new Date(answer.now_ms).toLocaleTimeString()}` : "starting";
  const told = answer.refused.map((one) => element("li", `policy ${one.policy} is not in effect as written: ${one.problem}`));
  document.getElementById("refused").replaceChildren(...told);
  const present = new Set();
  for (const workload of answer.workloads.filter((one) => !chosen || one.id === chosen)) {
    const section = place(workload.id, () => main.appendChild(element("section")));
    present.add(section);
    const parts = [
      place(`${workload.id}: title`, () => title(workload)),
      live(`${workload.id}: now`, describe(workload)),
      ...workload.signals.flatMap((signal) => signalParts(workload, signal)),
    ];
    // What is there already is not moved: a chart would lose the keyboard.
    if (parts.length !== section.children.length || parts.some((part, i) => part !== section.children[i])) section.replaceChildren(...parts);
  }
  for (const section of [...main.children]) if (!present.has(section)) section.remove();
  if (chosen && answer.ready && !present.size) main.append(element("p", `no policy is in effect for ${chosen} now`, "error"));
}

// One time axis of past, forecast and served values; null where a line has nothing.
function columns(history) {
  const rows = new Map();
  const put = (ms, column, value) => {
    const row = rows.get(ms) ?? Array(5).fill(null);
    row[column] = value;
    rows.set(ms, row);
  };
  history.times_ms.forEach((ms, i) => { put(ms, 0, history.mean[i]); put(ms, 1, history.max[i]); });
  history.served_ms.forEach((ms, i) => put(ms, 2, history.served[i]));
  if (history.forecast) {
    const f = history.forecast;
    f.leads_ms.forEach((lead, i) => { put(f.made_ms + lead, 3, f.q50[i]); put(f.made_ms + lead, 4, f.q95[i]); });
  }
  const times = [...rows.keys()].sort((a, b) => a - b);
  return [times.map((ms) => ms / 1000), ...[0, 1, 2, 3, 4].map((c) => times.map((ms) => rows.get(ms)[c]))];
}

const HOUR = 3600;
const SPANS = { "6h": 6 * HOUR, "28d": 28 * 24 * HOUR };

// From the beginning of the span to the end of the longest forecast, whatever has been measured of it.
function shownTimes() {
  const now = Date.now() / 1000;
  return [now - SPANS[span.value], now + 6 * HOUR];
}

function options(width) {
  const line = (label, stroke, extra = {}) => ({ label, stroke, spanGaps: true, points: { show: false }, ...extra });
  return {
    width, height: 230,
    scales: { x: { range: shownTimes } },
    cursor: { drag: { x: false } },
    hooks: { draw: [markKept] },
    series: [
      {}, line("mean", "#1f6fb2"), line("max", "#9cc3e4"), line("served", "#c2410c", { width: 2 }),
      line("forecast .5", "#15803d", { dash: [4, 4] }), line("forecast .95", "#15803d"),
    ],
    bands: [{ series: [5, 4], fill: "#15803d33" }],
  };
}

const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

// The trend, the usual day and the usual week as small tables: what the series is made of.
function showSeasons(box, parts) {
  if (!parts) return box.replaceChildren();
  const { day, week } = parts.strengths;
  const row = (label, values, names) => {
    const line = element("tr");
    line.append(element("th", label), ...values.map((value, i) => element("td", value === null ? "—" : `${names[i]} ${number(value)}`)));
    return line;
  };
  const table = element("table");
  table.append(
    row("trend by day", parts.trend, parts.trend.map(() => "")),
    row("usual day (UTC)", parts.day, parts.day.map((_, hour) => `${hour}h`)),
    row("usual week", parts.week, DAYS),
    row("rest, sd by hour", parts.rest, parts.rest.map((_, hour) => `${hour}h`)),
  );
  box.replaceChildren(element("summary", `seasons: day ${number(day)}, week ${number(week)} of 1`), table);
}

async function showHistory(chart) {
  const response = await fetch(`/api/v1/history/${chart.dataset.path}?span=${span.value}`);
  if (!response.ok) return;
  const answer = await response.json();
  showSeasons(document.getElementById(`${chart.id} seasons`), answer.parts);
  const data = columns(answer);
  const known = charts.get(chart.id);
  if (known && chart.contains(known.root)) return known.setData(data);
  const plot = new uPlot(options(chart.clientWidth - 12), data, chart);
  charts.set(chart.id, plot);
  if (chosen) makePointable(chart, plot);
}

async function every(seconds, turn) {
  try {
    await turn();
  } catch (error) {
    state.textContent = `no answer from tidecast: ${error.message}`;
  }
  setTimeout(() => every(seconds, turn), seconds * 1000);
}

const histories = () => Promise.all([...document.querySelectorAll(".chart")].map(showHistory));
span.addEventListener("change", histories);
startPast();
every(5, async () => draw(await (await fetch("/api/v1/workloads")).json())).then(() => every(30, histories));
