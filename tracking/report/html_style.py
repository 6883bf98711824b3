"""How the HTML report looks (and its one script: sort, filter, values under the pointer), on paper as on screen."""

from __future__ import annotations

CSS = """
:root { --ink: #1c1b1a; --grey: #6b6862; --rule: #d9d5cc; --paper: #fdfcf9; --accent: #0b5c7d; --warn: #a8420c; }
* { box-sizing: border-box; }
html { font: 16px/1.55 "Source Sans 3", "Helvetica Neue", Arial, "Liberation Sans", sans-serif; color: var(--ink);
  background: var(--paper); -webkit-text-size-adjust: 100%; }
body { margin: 0; }
main { max-width: 58rem; margin: 0 auto; padding: 3.2rem 1.6rem 5rem; }
main.broad { max-width: 88rem; }
.broad section > figure { max-width: 54rem; }
h1, h2, h3, .verdict { font-family: Charter, "Iowan Old Style", "Source Serif 4", Georgia, "Liberation Serif", serif;
  text-wrap: balance; }
h1 { font-size: 2.9rem; line-height: 1.08; font-weight: 600; margin: .3rem 0 .9rem; letter-spacing: -.012em; }
h2 { font-size: 1.5rem; line-height: 1.2; font-weight: 600; margin: 0 0 .8rem; }
h3 { font-size: 1.05rem; font-weight: 600; margin: 1.2rem 0 .3rem; }
.kicker { margin: 0; color: var(--grey); font-size: .92rem; }
.verdict { font-size: 1.28rem; line-height: 1.45; margin: 0; max-width: 48rem; text-wrap: pretty; }
section { margin-top: 3.2rem; }
section > p { max-width: 44rem; }
.data { margin-top: 2rem; padding: 1rem 1.2rem .9rem; border: 1px solid var(--rule);
  border-left: 4px solid var(--accent); background: #fff; }
.synthetic .data { border-left-color: var(--warn); }
.synthetic .data strong, .tag { color: var(--warn); }
.data p { margin: 0 0 .7rem; max-width: none; }
.tag { font-weight: 700; font-size: .78em; letter-spacing: .05em; margin-right: .35em; white-space: nowrap; }
.facts { display: flex; flex-wrap: wrap; gap: .5rem 2rem; margin: 0; }
.facts dt { color: var(--grey); font-size: .8rem; }
.facts dd { margin: 0; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.facts.small dd { font-size: .88rem; }
figure { margin: 0 0 1.6rem; }
figure svg, figure img { display: block; width: 100%; height: auto; }
figcaption, caption { color: var(--grey); font-size: .88rem; line-height: 1.4; text-align: left; }
figcaption { margin-top: .5rem; max-width: 46rem; }
caption { padding-bottom: .5rem; }
.wide { overflow-x: auto; margin-bottom: 1.6rem; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; font-variant-numeric: tabular-nums lining-nums; }
th, td { padding: .32rem .55rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--rule); }
th { font-weight: 600; border-bottom: 1.5px solid var(--ink); vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; padding-left: 0; white-space: normal; }
th:last-child, td:last-child { padding-right: 0; }
.sortable th { cursor: pointer; }
.sortable th[aria-sort=ascending]::after { content: " ↑"; }
.sortable th[aria-sort=descending]::after { content: " ↓"; }
.filter { display: block; text-align: right; font-size: .88rem; color: var(--grey); }
.left td, .left th { text-align: left; }
.row { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 1rem 2rem; }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(24rem, 1fr)); gap: 1rem 2rem; }
.hit { pointer-events: all; cursor: crosshair; }
#hint { position: fixed; z-index: 2; pointer-events: none; background: var(--ink); color: #fff; padding: .35rem .6rem;
  border-radius: 3px; font-size: .85rem; font-variant-numeric: tabular-nums; white-space: pre-line; max-width: 22rem; }
.note, .gap { color: var(--grey); font-size: .92rem; }
.gap { color: var(--warn); }
pre { background: #f3f0e9; padding: .8rem 1rem; overflow-x: auto; font: .85rem/1.5 ui-monospace, Menlo, Consolas,
  "Liberation Mono", monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
ul { padding-left: 1.2rem; margin: .2rem 0 0; max-width: 44rem; }
summary { cursor: pointer; color: var(--accent); margin-top: 1rem; }
@media (max-width: 40rem) { h1 { font-size: 2.1rem; } main { padding-top: 1.6rem; } }
@media print {
  @page { margin: 16mm; }
  html { font-size: 10.5pt; background: #fff; }
  main { max-width: none; padding: 0; }
  section { margin-top: 1.6rem; }
  figure, tr, .data { break-inside: avoid; }
  h2, h3, caption { break-after: avoid; }
  thead { display: table-header-group; }
  .wide { overflow: visible; }
  .filter { display: none; }
  th, td { padding: .2rem .35rem; white-space: normal; }
}
"""

SCRIPT = """
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.querySelectorAll("th")], body = table.tBodies[0];
  const value = cell => {
    const text = cell.textContent.replaceAll(",", "").trim();
    const number = parseFloat(text);
    return Number.isNaN(number) ? text : number;
  };
  heads.forEach((head, column) => head.addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") === "ascending";
    heads.forEach(other => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const rows = [...body.rows].sort((a, b) => {
      const [x, y] = [value(a.cells[column]), value(b.cells[column])];
      const order = typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y));
      return down ? -order : order;
    });
    body.append(...rows);
  }));
}
for (const table of document.querySelectorAll("table.filterable")) {
  const column = [...table.querySelectorAll("th")].findIndex(head => head.textContent === "order");
  const rows = [...table.tBodies[0].rows];
  const orders = row => row.cells[column].textContent.split(", ").map(name => name.replace(/-\\d+$/, ""));
  const names = [...new Set(rows.flatMap(orders))].filter(name => name);
  if (names.length < 2) continue;
  const label = document.createElement("label"), choice = document.createElement("select");
  label.className = "filter";
  label.append("show ", choice);
  for (const name of ["all orders", ...names]) choice.append(new Option(name));
  choice.addEventListener("change", () => rows.forEach(row => {
    row.hidden = choice.selectedIndex > 0 && orders(row)[0] !== "" && !orders(row).includes(choice.value);
  }));
  table.parentNode.before(label);
}
const hint = document.createElement("div");
hint.id = "hint";
hint.hidden = true;
document.body.append(hint);
for (const mark of document.querySelectorAll("[data-hover]")) {
  mark.addEventListener("pointermove", event => {
    hint.textContent = mark.dataset.hover.replace(" | ", "\\n");
    hint.hidden = false;
    hint.style.left = Math.max(8, Math.min(event.clientX + 14, innerWidth - hint.offsetWidth - 8)) + "px";
    hint.style.top = Math.max(8, event.clientY - hint.offsetHeight - 12) + "px";
  });
  mark.addEventListener("pointerleave", () => { hint.hidden = true; });
}
"""
