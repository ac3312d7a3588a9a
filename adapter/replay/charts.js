// The chart over time, and the one of shortage against over-provision.

const DARK = matchMedia("(prefers-color-scheme: dark)");
const themed = (light, dark) => (DARK.matches ? dark : light);
const FAMILIES = [
  ["#1f6fb2", "#6cb6ff"], ["#c2410c", "#ff9a5c"], ["#7c3aed", "#b99cff"], ["#0e7490", "#4fd1e5"],
  ["#be185d", "#ff7eb6"], ["#92400e", "#e0b050"], ["#4d5b00", "#bcc94a"], ["#475569", "#a8b4c6"],
];
const DASHES = [[], [9, 4], [3, 3], [12, 3, 3, 3]];
const GREEN = ["#15803d", "#4ade80"];
const INK = ["#111", "#f4f4f4"];
const GREY = ["#777", "#999"];
const LEAST_SHORT = 1e-5; // of the demand: a logarithm has no place for nothing at all

const colorOf = (family) => themed(...FAMILIES[families.indexOf(family) % FAMILIES.length]);
// How uPlot writes times by the distance of ticks: beside what it writes always, what it adds where a year or day begins.
const CLOCK = [[86400, "{MM}-{DD}", "\n{YYYY}"], [60, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}"], [1, "{HH}:{mm}:{ss}", "\n{YYYY}-{MM}-{DD}"]].map(
  ([seconds, always, year], i) => [seconds, always, year, null, i ? "\n{MM}-{DD}" : null, null, null, null, 1],
);
const plots = new Map(); // id -> uPlot

const axis = (label, extra = {}) => ({
  label, labelSize: 22, stroke: themed(...INK), grid: { stroke: themed("#0001", "#fff2"), width: 1 }, ticks: { stroke: themed("#0003", "#fff3") }, ...extra,
});

function clear(id) {
  plots.get(id)?.destroy();
  plots.delete(id);
  by(id).replaceChildren();
}

function plot(id, options, data) {
  clear(id);
  const width = by(id).clientWidth;
  const made = new uPlot({ width, height: width < 640 ? 280 : 380, ...options }, data, by(id));
  plots.set(id, made);
  return made;
}

// Where the cursor is for the keyboard: at an index of the horizontal values.
function point(made, index) {
  const at = Math.max(0, Math.min(made.data[0].length - 1, index));
  const value = made.data.slice(1).map((values) => values[at]).find(known);
  made.setCursor({ left: made.valToPos(made.data[0][at], "x"), top: made.valToPos(value ?? made.scales.y.min, "y") });
}

function zoom(made, factor) {
  const { min, max } = made.scales.x;
  const middle = made.cursor.left >= 0 ? made.posToVal(made.cursor.left, "x") : (min + max) / 2;
  made.setScale("x", { min: middle - (middle - min) * factor, max: middle + (max - middle) * factor });
}

function whole(made) {
  const values = made.data[0];
  made.setScale("x", { min: values[0], max: values[values.length - 1] });
}

function onKey(id, event) {
  const made = plots.get(id);
  if (!made) return;
  const far = event.shiftKey ? 10 : 1;
  const index = made.cursor.idx ?? 0;
  const actions = {
    ArrowLeft: () => point(made, index - far), ArrowRight: () => point(made, index + far),
    "+": () => zoom(made, 0.5), "-": () => zoom(made, 2), Escape: () => whole(made),
  };
  if (event.target !== event.currentTarget || !actions[event.key]) return;
  event.preventDefault();
  actions[event.key]();
}

const replicas = (value) => figure(value, "replicas");
const utc = (seconds) => (known(seconds) ? `${new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC` : "—");

// A mark for each step in which a contender was short, a row for each contender, at the bottom.
function marks(made, contenders) {
  const { ctx, bbox } = made;
  const times = made.data[0];
  const height = 5 * devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  contenders.forEach((one, row) => {
    ctx.fillStyle = colorOf(one.family);
    for (const step of one.missing.steps) {
      const from = made.valToPos(times[step], "x", true);
      const to = made.valToPos(times[step + 1] ?? times[step], "x", true);
      ctx.fillRect(from, bbox.top + bbox.height - (row + 1) * height, Math.max(to - from, 2 * devicePixelRatio), height - devicePixelRatio);
    }
  });
  ctx.restore();
}

const stepped = uPlot.paths.stepped({ align: 1 });
const curve = (label, stroke, extra = {}) => ({ label, stroke, points: { show: false }, value: (_, value) => replicas(value), ...extra });

function behind({ forecast, bounds }, wanted) {
  const within = `of the largest within ${figure(forecast.lead_s / 60, "min")}`;
  const ahead = { show: wanted.forecast };
  const bound = { dash: [2, 4], paths: stepped, show: wanted.schedules };
  return [
    [curve(`forecast ${forecast.quantile} ${within}`, themed(...GREEN), ahead), forecast.covered],
    [curve(`forecast 0.5 ${within}`, themed(...GREEN), { ...ahead, dash: [4, 4] }), forecast.median],
    [curve("floor", themed(...GREY), bound), bounds.floor],
    [curve("ceiling", themed(...GREY), { ...bound, auto: false }), bounds.ceiling], // may be far above all that happens
  ];
}

function capacity(one, contenders) {
  const dash = DASHES[contenders.filter((other) => other.family === one.family).indexOf(one) % DASHES.length];
  const short = new Map(one.missing.steps.map((step, i) => [step, one.missing.replicas[i]]));
  const told = (_, value, __, at) => replicas(value) + (short.has(at) ? `, short of ${replicas(short.get(at))} in the mean` : "");
  return [curve(nameOf(one), colorOf(one.family), { dash, width: 1.5, paths: stepped, value: told }), one.capacity];
}

// `zoomed` is the part that is shown, null for all.
function overTime(workload, contenders, wanted, zoomed) {
  const lines = [
    [{ label: "time", value: (_, value) => utc(value) }, workload.times_s],
    [curve("demand", themed(...INK), { paths: stepped, fill: themed("#0001", "#fff2") }), workload.demand],
    ...behind(workload, wanted),
    ...contenders.map((one) => capacity(one, contenders)),
  ];
  const made = plot(
    "time",
    {
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      scales: { y: { range: (_, __, max) => [0, (max || 1) * 1.06] } },
      axes: [axis("time, UTC", { values: CLOCK }), axis("replicas", { size: 60 })],
      cursor: { drag: { x: true, y: false } },
      series: lines.map(([options]) => options),
      bands: [{ series: [2, 3], fill: themed("#15803d33", "#4ade8033") }],
      hooks: { draw: [(drawn) => wanted.short && marks(drawn, contenders)] },
    },
    lines.map(([, values]) => values),
  );
  if (zoomed) made.setScale("x", zoomed);
}

const shortPlace = (one) => Math.max(one.short, LEAST_SHORT);

// Those of a family that no other of it beats in both, by growing shortage.
function front(contenders) {
  const best = [];
  for (const one of [...contenders].sort((a, b) => shortPlace(a) - shortPlace(b) || a.over - b.over)) {
    if (!best.length || one.over < best[best.length - 1].over) best.push(one);
  }
  return best;
}

// At a shortage, between two of a front: straight in the chart, whose shortage is logarithmic.
function between(line, short) {
  const at = Math.log(Math.max(short, LEAST_SHORT));
  const next = line.findIndex((one) => Math.log(shortPlace(one)) >= at - 1e-9);
  if (next < 0) return { settings: "all are short less", over: null, cost: null };
  const [b, a] = [line[next], line[next - 1]];
  const [from, to] = [a, b].map((one) => one && Math.log(shortPlace(one)));
  if (to - at <= 1e-9) return { settings: nameOf(b), over: b.over, cost: b.cost };
  if (!a) return { settings: "all are short more", over: null, cost: null };
  const share = (at - from) / (to - from);
  const mixed = (key) => a[key] + share * (b[key] - a[key]);
  return { settings: `${a.setting} – ${b.setting}`, over: mixed("over"), cost: mixed("cost") };
}

const placeOf = (made, one, canvas) => [made.valToPos(100 * shortPlace(one), "x", canvas), made.valToPos(100 * one.over, "y", canvas)];

const sentence = (one) => `${nameOf(one)}: short ${number(100 * one.short, 3)} %, over ${number(100 * one.over, 1)} %, cost ${number(one.cost, 2)} ${priced()}`;

function nearest(made, ordered, left, top) {
  const distance = (one) => {
    const [x, y] = placeOf(made, one, false);
    return Math.hypot(x - left, y - top);
  };
  const best = ordered.reduce((a, b) => (distance(a) <= distance(b) ? a : b));
  return distance(best) < 40 ? best : null;
}

function pointAt(made, tip, ordered) {
  const found = made.cursor.left >= 0 && ordered.length ? nearest(made, ordered, made.cursor.left, made.cursor.top) : null;
  tip.hidden = !found;
  if (!found) return;
  tip.textContent = sentence(found);
  const [left, top] = placeOf(made, found, false);
  tip.style.left = `${Math.max(0, Math.min(left + 10, made.over.clientWidth - tip.offsetWidth))}px`;
  tip.style.top = `${top < made.over.clientHeight / 2 ? top + 10 : top - tip.offsetHeight - 10}px`;
}

function rings(made, drawn) {
  const { ctx } = made;
  ctx.lineWidth = 1.5 * devicePixelRatio;
  for (const one of drawn) {
    ctx.strokeStyle = colorOf(one.family);
    ctx.beginPath();
    ctx.arc(...placeOf(made, one, true), 8 * devicePixelRatio, 0, 2 * Math.PI);
    ctx.stroke();
  }
}

function joined(made, line) {
  const path = new Path2D();
  for (const one of line) path.lineTo(...placeOf(made, one, true));
  return path;
}

// Powers of ten within a range, and where there are too few of them 2 and 5 times as much, too.
function splits(min, max) {
  const first = Math.floor(Math.log10(min));
  const powers = Array.from({ length: Math.ceil(Math.log10(max)) - first + 1 }, (_, i) => 10 ** (first + i));
  const within = (values) => values.filter((value) => value >= min && value <= max);
  return within(powers).length > 1 ? within(powers) : within(powers.flatMap((power) => [power, 2 * power, 5 * power]));
}

function overCurve(contenders, drawn) {
  const ordered = contenders.filter((one) => known(one.short) && known(one.over)).sort((a, b) => shortPlace(a) - shortPlace(b) || b.over - a.over);
  if (!ordered.length) return clear("curve");
  const present = families.filter((family) => ordered.some((one) => one.family === family));
  const values = (family) => ordered.map((one) => (one.family === family ? 100 * one.over : null));
  const of = (family) => ordered.filter((one) => one.family === family);
  const least = 100 * LEAST_SHORT;
  const tick = (value) => (value <= least * 1.001 ? `≤ ${least} %` : `${Number(value.toPrecision(1))} %`);
  const tip = element("div", "", { className: "tip", hidden: true });
  tip.setAttribute("role", "status");
  const made = plot(
    "curve",
    {
      scales: {
        x: { time: false, distr: 3, range: (_, min, max) => [min * 0.8, max * 1.25] },
        y: { range: (_, __, max) => [0, (max || 1) * 1.06] },
      },
      axes: [
        axis("short, % of demand", { splits: (_, __, min, max) => splits(min, max), values: (_, at) => at.map(tick), filter: (_, at) => at }),
        axis("over, % of demand", { size: 70, values: (_, at) => at.map((value) => `${value} %`) }),
      ],
      cursor: { drag: { x: true, y: false }, points: { show: false } },
      legend: { live: false },
      series: [
        {},
        ...present.map((family) => ({
          label: family, stroke: colorOf(family), width: 1.5, paths: (one) => ({ stroke: joined(one, front(of(family))) }), points: { show: true, size: 7, fill: colorOf(family) },
        })),
      ],
      hooks: { draw: [(one) => rings(one, drawn)], setCursor: [(one) => pointAt(one, tip, ordered)] },
    },
    [ordered.map((one) => 100 * shortPlace(one)), ...present.map(values)],
  );
  made.over.append(tip);
}
