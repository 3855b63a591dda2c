// Filters of the first page: one protocol at a time, and models by what they are.
"use strict";
(() => {
  const filters = document.getElementById("filters");
  const boards = [...document.querySelectorAll("section.board")];
  const controls = [...filters.querySelectorAll("[data-filter]")];
  const shown = document.getElementById("shown");
  const choose = () => {
    const wanted = Object.fromEntries(controls.map((control) => [control.dataset.filter, control.value]));
    for (const board of boards) {
      board.hidden = board.id !== wanted.board;
      let passed = 0;
      const rows = [...board.querySelectorAll(".main-table > tbody > tr")];
      for (const row of rows) {
        const fits = controls.every((control) => {
          const name = control.dataset.filter;
          if (name === "board" || (control.tagName === "SELECT" && control.selectedIndex === 0)) return true;
          if (name === "name") return row.dataset.name.includes(control.value.trim().toLowerCase());
          return row.dataset[name] === control.value;
        });
        row.hidden = !fits;
        passed += fits;
      }
      board.querySelector(".nothing").hidden = passed > 0;
      board.querySelector(".board-scroll").hidden = passed === 0;
      if (!board.hidden) shown.textContent = passed === rows.length ? `${passed} models` : `${passed} of ${rows.length} models`;
    }
  };
  for (const control of controls) control.addEventListener(control.tagName === "SELECT" ? "change" : "input", choose);
  filters.hidden = false;
  choose();
})();
