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
  const orders = row => row.cells[column].textContent.split(", ").map(name => name.replace(/-\d+$/, ""));
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
    hint.textContent = mark.dataset.hover.replace(" | ", "\n");
    hint.hidden = false;
    hint.style.left = Math.max(8, Math.min(event.clientX + 14, innerWidth - hint.offsetWidth - 8)) + "px";
    hint.style.top = Math.max(8, event.clientY - hint.offsetHeight - 12) + "px";
  });
  mark.addEventListener("pointerleave", () => { hint.hidden = true; });
}
