// What was decided at a time, on the page of one workload: /?workload=ID, and &at=TIME where a time is kept. Pointing at a
// chart shows that time's decision, a click or an arrow key keeps it. The sentences are those of /api/v1/explain.
"use strict";

const REST_MS = 150; // a pointer or a key asks when it rests
const STEPS = { "6h": 60_000, "28d": 3_600_000 };

const query = new URLSearchParams(location.search);
const chosen = query.get("workload"); // null on the page of all
let kept = query.get("at")?.replace(/T[\d:.]+$/, "$&Z") ?? null; // UTC unless it says otherwise; null: no time is kept
let resting = 0;
let wanted = null; // the time whose decision is to be shown; null: none
let asking = false;

const timeText = (ms) => `${new Date(ms).toISOString().slice(0, 19)}Z`;
const addressOf = (workload, at) => `/?${new URLSearchParams(at ? { workload, at } : { workload })}`;

function decisionBlock(name, decision, pairs) {
  const box = element("div");
  box.append(element("h3", name), figures(pairs));
  if (decision.problem) box.append(element("p", decision.problem, "error"));
  if (decision.reasons.length) box.append(element("p", decision.reasons.map((r) => r.text).join("; "), "reasons"));
  return box;
}

// What was no answer is not shown as the number that it would have been.
const decided = (decision, unit) => quantity(decision.problem ? null : decision.value, unit);

function pastReplicas({ replicas, running }) {
  const { floor, ceiling } = replicas;
  const bounds = floor === null ? "—" : `${number(floor)} ${ceiling === null ? "or more" : `to ${number(ceiling)}`}`;
  return decisionBlock("replicas", replicas, [
    ["decided", decided(replicas)],
    ["policy bounds", bounds],
    ["wanted then", quantity(running && running.wanted)],
    ["took load", quantity(running && running.ready)],
  ]);
}

function pastSignal(signal) {
  const lead = signal.lead_ms === null ? "" : ` for ${number(signal.lead_ms / 60_000)} min`;
  const steps = [
    ["measured", signal.raw],
    [`predicted${lead}`, signal.predicted],
    ["largest that came", signal.came],
    ["needed", signal.need],
    ["after slow scale-down", signal.slowed],
  ];
  const pairs = steps.map(([name, value]) => [name, quantity(value, signal.unit)]);
  return decisionBlock(signal.name, signal, [...pairs, ["decided", decided(signal, signal.unit)]]);
}

function showPast(at, told) {
  const link = document.getElementById("moment");
  link.textContent = at;
  link.href = addressOf(chosen, at);
  const local = new Date(at);
  document.getElementById("local").textContent = isNaN(local) ? "" : local.toLocaleString();
  const problem = told.error ?? told.problem;
  const parts = problem ? [element("p", problem, "error")] : [];
  if (told.replicas) parts.push(pastReplicas(told));
  document.getElementById("decision").replaceChildren(...parts, ...(told.signals ?? []).map(pastSignal));
  document.getElementById("past").classList.remove("none");
}

async function ask(at) {
  const path = chosen.split("/").map(encodeURIComponent).join("/");
  try {
    return await (await fetch(`/api/v1/explain/${path}?${new URLSearchParams({ at })}`)).json();
  } catch (error) {
    return { error: `no answer from tidecast: ${error.message}` };
  }
}

// One question at a time: each reads the log. Of those that come meanwhile the last is asked.
async function explain(at) {
  wanted = at;
  if (at === kept) window.history.replaceState(null, "", addressOf(chosen, at));
  if (asking) return;
  asking = true;
  for (let done = null; wanted !== null && wanted !== done; ) {
    done = wanted;
    const told = await ask(done);
    if (wanted === done) showPast(done, told);
  }
  asking = false;
}

function look(at) {
  clearTimeout(resting);
  resting = setTimeout(() => explain(at), REST_MS);
}

function showKept() {
  for (const [id, plot] of charts) {
    const chart = document.getElementById(id);
    if (!chart) continue;
    const ms = Date.parse(kept);
    const now = Date.now();
    Object.assign(chart, { ariaValueMin: 0, ariaValueMax: now, ariaValueNow: isNaN(ms) ? now : ms, ariaValueText: kept ?? "now" });
    plot.redraw(false);
  }
}

function keep(at) {
  kept = at;
  showKept();
  look(at);
}

function goLive() {
  clearTimeout(resting);
  wanted = null;
  document.getElementById("past").classList.add("none");
  if (kept === null) return;
  kept = null;
  window.history.replaceState(null, "", addressOf(chosen));
  showKept();
}

// A line at the time that is kept, if the chart shows it.
function markKept(plot) {
  const { left, top, width, height } = plot.bbox;
  const x = plot.valToPos(Date.parse(kept) / 1000, "x", true);
  if (!(x >= left && x <= left + width)) return; // nor where there is none
  plot.ctx.fillStyle = "#111";
  plot.ctx.fillRect(x - devicePixelRatio, top, 2 * devicePixelRatio, height);
}

function step(event) {
  if (event.key === "Escape") return goLive();
  const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!direction) return;
  event.preventDefault();
  const size = STEPS[span.value];
  const from = Date.parse(kept);
  const next = (isNaN(from) ? Math.ceil(Date.now() / size) * size : from) + direction * size;
  keep(timeText(Math.min(next, Date.now())));
}

function makePointable(chart, plot) {
  const pointed = (event) => timeText(plot.posToVal(event.clientX - plot.over.getBoundingClientRect().left, "x") * 1000);
  plot.over.addEventListener("pointermove", (event) => { if (kept === null) look(pointed(event)); });
  plot.over.addEventListener("pointerleave", () => { if (kept === null) goLive(); });
  plot.over.addEventListener("click", (event) => keep(pointed(event)));
  chart.addEventListener("keydown", step);
  chart.tabIndex = 0;
  chart.role = "slider";
  chart.ariaLabel = "time of the decision";
  showKept();
}

function startPast() {
  if (!chosen) return;
  document.getElementById("past").hidden = false;
  document.getElementById("now").addEventListener("click", goLive);
  if (kept !== null) explain(kept);
}
