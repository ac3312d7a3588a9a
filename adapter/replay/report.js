// What is chosen, and all that is shown of it.

const report = JSON.parse(by("data").textContent);
const nameOf = (one) => `${one.family} ${one.setting}`.trim();
const all = report.workloads.length > 1 ? { workload: `all ${report.workloads.length} workloads`, contenders: report.together } : null;
const choices = [...(all ? [all] : []), ...report.workloads];
const families = [...new Set(report.workloads.flatMap((one) => one.contenders.map((contender) => contender.family)))];
const prices = new Set(report.workloads.map((one) => one.price));
const chosen = { at: choices[0], reference: "", drawn: new Set() };
const also = { forecast: "forecast", schedules: "floors and ceilings", short: "times short" };
const wanted = { forecast: true, schedules: true, short: true };

const referenceOf = (one) => one.contenders.find((contender) => nameOf(contender) === chosen.reference);
const drawnOf = (one) => one.contenders.filter((contender) => chosen.drawn.has(nameOf(contender)));

// At first: of every family what comes nearest in shortage to what is compared with.
function begin() {
  const reference = chosen.at.contenders[0];
  if (!reference) return;
  const far = (one) => Math.abs(Math.log(shortPlace(one) / shortPlace(reference)));
  for (const family of families) {
    const [nearest] = chosen.at.contenders.filter((one) => one.family === family).sort((a, b) => far(a) - far(b));
    if (nearest && family !== "hindsight") chosen.drawn.add(nameOf(nearest));
  }
  chosen.reference = nameOf(reference);
}

const share = (key, digits) => ({ value: (one) => one[key], text: (one) => number(known(one[key]) ? 100 * one[key] : null, digits) });
const plain = (key, digits = 0) => ({ value: (one) => one[key], text: (one) => number(one[key], digits) });
const savedOn = (one, reference) => (reference?.cost > 0 && known(one?.cost) ? 100 * (1 - one.cost / reference.cost) : null);
const priced = () => (prices.size === 1 ? `at ${[...prices][0]} a replica-hour` : "at the price of each");

function choice(one) {
  const label = element("label");
  const box = element("input", "", { type: "checkbox", checked: chosen.drawn.has(nameOf(one)) });
  box.dataset.key = `draw ${nameOf(one)}`;
  box.addEventListener("change", () => {
    if (box.checked) chosen.drawn.add(nameOf(one));
    else chosen.drawn.delete(nameOf(one));
    show();
  });
  label.append(box, swatch(one.family), nameOf(one));
  return label;
}

function swatch(family) {
  const made = element("span", "", { className: "swatch" });
  made.style.background = colorOf(family);
  return made;
}

function ofFamily({ family }) {
  const made = element("span");
  made.append(swatch(family), family);
  return made;
}

function showPolicies() {
  const reference = referenceOf(chosen.at);
  const saved = (one) => savedOn(one, reference);
  const columns = [
    { label: "policy", unit: "drawn if ticked", value: nameOf, cell: choice },
    { label: "paid", unit: "replica-hours", ...plain("replica_hours", 1) },
    { label: "cost", unit: priced(), ...plain("cost", 2) },
    { label: "saved", unit: "% of the compared", value: saved, text: (one) => number(saved(one), 1) },
    { label: "cores saved", unit: "beside the peak's", ...plain("cores_saved", 1) },
    { label: "short", unit: "% of demand", ...share("short", 3) },
    { label: "over", unit: "% of demand", ...share("over", 1) },
    { label: "time short", unit: "min", ...plain("minutes_short", 1) },
    { label: "worst minute", unit: "% short", ...share("worst_minute", 1) },
    { label: "longest wait", unit: "s", ...plain("longest_delay_s", 1) },
    { label: "changes", unit: "of size", ...plain("changes") },
    { label: "flaps", unit: "in 10 min", ...plain("flaps") },
  ];
  by("whose").textContent = `Policies for ${chosen.at.workload}`;
  table("policies", columns, chosen.at.contenders, (one) => (one === reference ? "reference" : ""));
}

function goTo(one) {
  const button = element("button", one.workload, { type: "button" });
  button.dataset.key = `go ${one.workload}`;
  button.addEventListener("click", () => choose(one));
  return button;
}

function showWorkloads() {
  by("fleet").hidden = !all;
  if (!all) return;
  const names = [...new Set([chosen.reference, ...chosen.drawn])];
  const ofName = (one, name) => one.contenders.find((contender) => nameOf(contender) === name);
  const columns = names.flatMap((name) => [
    { label: name, unit: `cost ${priced()}`, value: (one) => ofName(one, name)?.cost, text: (one) => number(ofName(one, name)?.cost, 2) },
    { label: name, unit: "short, % of demand", value: (one) => ofName(one, name)?.short, text: (one) => number(100 * ofName(one, name)?.short, 3) },
  ]);
  const demand = (one) => one.contenders[0]?.demand_hours;
  const first = [
    { label: "workload", unit: "shown if clicked", value: (one) => one.workload, cell: goTo },
    { label: "demand", unit: "replica-hours", value: demand, text: (one) => number(demand(one), 1) },
  ];
  table("workloads", [...first, ...columns], choices, (one) => (one === chosen.at ? "reference" : ""));
}

function showEqual() {
  const reference = referenceOf(chosen.at);
  by("equally").textContent = reference ? `At the shortage of ${nameOf(reference)}: ${number(100 * reference.short, 3)} % of the demand` : "";
  const lines = families.map((family) => [family, front(chosen.at.contenders.filter((one) => one.family === family))]);
  const rows = reference
    ? lines.filter(([, line]) => line.length).map(([family, line]) => ({ family, ...between(line, reference.short) }))
    : [];
  const more = (one) => (known(one.cost) && reference.cost > 0 ? 100 * (one.cost / reference.cost - 1) : null);
  table("equal", [
    { label: "family", unit: "of policies", value: (one) => one.family, cell: ofFamily },
    { label: "settings", unit: "read between", value: (one) => one.settings, text: (one) => one.settings, left: true },
    { label: "over", unit: "% of demand", ...share("over", 1) },
    { label: "cost", unit: priced(), ...plain("cost", 2) },
    { label: "dearer by", unit: "% of the compared", value: more, text: (one) => number(more(one), 1) },
  ], rows);
}

let shownInTime = null;

function showCharts() {
  const drawn = drawnOf(chosen.at);
  by("times").hidden = chosen.at === all;
  if (chosen.at !== all) {
    const { min, max } = (shownInTime === chosen.at && plots.get("time")?.scales.x) || {};
    overTime(chosen.at, drawn, wanted, known(min) ? { min, max } : null);
    const [first, second] = chosen.at.times_s;
    by("resolution").textContent = `A step is ${figure((second - first) / 60, "min")}: demand is the largest in it, capacity that at its start; `
      + "a mark at the bottom is a step in which replicas were missing at any time. Drag to zoom, double-click to see all; "
      + "with the keyboard: arrows, + and −, Escape.";
  }
  shownInTime = chosen.at;
  overCurve(chosen.at.contenders, drawn);
}

// All of it anew; what had the focus has it again.
function show() {
  const focused = document.activeElement?.dataset.key;
  by("workload").value = choices.indexOf(chosen.at);
  by("reference").replaceChildren(...chosen.at.contenders.map((one) => element("option", nameOf(one))));
  by("reference").value = chosen.reference;
  showWorkloads();
  showPolicies();
  showCharts();
  showEqual();
  if (focused) [...document.querySelectorAll("[data-key]")].find((one) => one.dataset.key === focused)?.focus({ preventScroll: true });
}

function choose(one) {
  chosen.at = one;
  if (!referenceOf(one) && one.contenders.length) chosen.reference = nameOf(one.contenders[0]);
  show();
}

function wire() {
  by("workload").append(...choices.map((one, at) => element("option", one.workload, { value: at })));
  by("workload").addEventListener("change", (event) => choose(choices[event.target.value]));
  by("reference").addEventListener("change", (event) => { chosen.reference = event.target.value; show(); });
  for (const [key, text] of Object.entries(also)) {
    const label = element("label");
    const box = element("input", "", { type: "checkbox", checked: true, name: key });
    box.addEventListener("change", () => { wanted[key] = box.checked; show(); });
    label.append(box, ` ${text}`);
    document.querySelector("fieldset").append(label);
  }
  for (const id of ["time", "curve"]) by(id).addEventListener("keydown", (event) => onKey(id, event));
  DARK.addEventListener("change", show);
  addEventListener("resize", () => { for (const [id, made] of plots) if (by(id).clientWidth) made.setSize({ width: by(id).clientWidth, height: made.height }); });
}

document.title = document.querySelector("h1").textContent = report.title;
if (choices.length) {
  wire();
  begin();
  show();
}
