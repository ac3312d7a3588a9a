// Numbers as texts, and tables that are sorted by a column. Texts go in as text, never as HTML.

const element = (name, text, properties = {}) => Object.assign(document.createElement(name), { textContent: text ?? "" }, properties);
const by = (id) => document.getElementById(id);

const known = (value) => typeof value === "number" && Number.isFinite(value);
const number = (value, digits = 0) =>
  known(value) ? new Intl.NumberFormat("en", { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value) : "—";
const figure = (value, unit) => (known(value) ? `${new Intl.NumberFormat("en", { maximumSignificantDigits: 4 }).format(value)} ${unit}` : "—");

const sorted = new Map(); // of a table's id: { column, down }

// What is not known is last, whichever way.
function inOrder(rows, column, down) {
  const sign = down ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [x, y] = [column.value(a), column.value(b)];
    if (typeof x === "string") return sign * x.localeCompare(y, "en", { numeric: true });
    return known(x) && known(y) ? sign * (x - y) : known(y) - known(x);
  });
}

// A column: { label, unit, value(row), and text(row) or cell(row) }; `left` if it holds texts. `mark` names a row's class.
function table(id, columns, rows, mark = () => "") {
  const order = sorted.get(id);
  const [top, body, head] = ["thead", "tbody", "tr"].map((name) => element(name));
  head.append(...columns.map((column, at) => header(id, column, at, order?.column === at ? order : null)));
  top.append(head);
  body.append(...(order ? inOrder(rows, columns[order.column], order.down) : rows).map((row) => line(columns, row, mark(row))));
  by(id).replaceChildren(top, body);
}

// `order` is null unless the table is sorted by this column.
function header(id, column, at, order) {
  const button = element("button", column.label + (order ? (order.down ? " ▼" : " ▲") : ""), { type: "button" });
  button.dataset.key = `${id} ${at}`;
  button.append(element("small", column.unit));
  button.addEventListener("click", () => {
    sorted.set(id, { column: at, down: Boolean(order && !order.down) });
    show();
  });
  const cell = element("th", "", { scope: "col", ariaSort: order ? (order.down ? "descending" : "ascending") : "none" });
  cell.classList.toggle("text", Boolean(column.left));
  cell.append(button);
  return cell;
}

function line(columns, row, className) {
  const made = element("tr", "", { className });
  made.append(...columns.map((column, at) => {
    const cell = at ? element("td") : element("th", "", { scope: "row" });
    cell.classList.toggle("text", Boolean(column.left));
    cell.append(column.cell ? column.cell(row) : column.text(row));
    return cell;
  }));
  return made;
}
