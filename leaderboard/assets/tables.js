// Sorts tables by any column; a second click turns the order round. Missing values stay at the end.
"use strict";
function sortBy(table, column, direction, kind) {
  const body = table.tBodies[0];
  const value = (row) => {
    const cell = row.cells[column];
    if (kind === "text") return cell.textContent.trim().toLowerCase();
    const text = cell.dataset.value ?? cell.textContent.trim().replace("−", "-");
    return text === "" || Number.isNaN(Number(text)) ? null : Number(text);
  };
  const sign = direction === "ascending" ? 1 : -1;
  const keyed = [...body.rows].map((row) => [value(row), row]);
  keyed.sort(([a], [b]) => {
    if (a === null || b === null) return (a === null) - (b === null);
    return sign * (kind === "text" ? a.localeCompare(b, "en") : a - b);
  });
  body.append(...keyed.map(([, row]) => row));
}

function makeSortable(table) {
  for (const button of table.querySelectorAll("thead button.sort")) {
    button.addEventListener("click", () => {
      const head = button.closest("th");
      const now = head.getAttribute("aria-sort");
      const turned = now === "ascending" ? "descending" : "ascending";
      const direction = now ? turned : button.dataset.first;
      for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", direction);
      sortBy(table, head.cellIndex, direction, button.dataset.kind);
    });
  }
}

for (const table of document.querySelectorAll("table.sortable")) makeSortable(table);
