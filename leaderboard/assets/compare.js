// Two models, scenario by scenario. The address holds the choice: #first/second.
"use strict";
(() => {
  const first = document.getElementById("first");
  const second = document.getElementById("second");
  const resistance = document.getElementById("resistance");
  const status = document.getElementById("status");
  const result = document.getElementById("result");
  let turn = 0;

  const title = (model) => model.method ? `${model.name} · ${model.method}` : model.name;
  const heading = (text, kind = "text", order = "ascending", place = kind === "number" ? "num" : "") =>
    make("th", { scope: "col", class: place }, make("button", { type: "button", class: "sort", "data-kind": kind, "data-first": order }, text));
  const interval = (low, high) => low === null || low === undefined ? "" : `[${figure(low)}, ${figure(high)}]`;
  const scored = (score) => score && score[0] !== null
    ? [make("strong", {}, figure(score[0])), " ", make("span", { class: "ends" }, interval(score[1], score[2]))]
    : [make("span", { class: "missing" }, "not rated")];

  function table(caption, heads, rows, classes) {
    return make("div", { class: "scroll", role: "region", "aria-label": caption, tabindex: "0" },
      make("table", { class: classes }, make("caption", {}, make("span", {}, caption)),
        make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows)));
  }

  function overall(a, b) {
    const found = a.against[b.slug] || {};
    const reach = Math.max(0.01, ...Object.values(found).flatMap((one) => one.slice(0, 3).map((end) => Math.abs(end ?? 0))));
    const rows = a.metrics.map((metric) => {
      const one = found[metric.name];
      const known = one && one[0] !== null;
      let says = "cannot be told";
      if (known && one[1] !== null) says = one[1] > 0 ? `${title(a)} scores higher` : (one[2] < 0 ? `${title(b)} scores higher` : "cannot be told apart");
      return make("tr", {}, make("th", { scope: "row" }, metric.title),
        make("td", { class: "value" }, ...scored(a.scores[metric.name])), make("td", { class: "value" }, ...scored(b.scores[metric.name])),
        make("td", { class: "value" }, ...scored(one), known ? drawBar(one[0], one[1], one[2], -1.05 * reach, 1.05 * reach) : null),
        make("td", {}, says), make("td", { class: "num" }, known ? String(one[3]) : "0"), make("td", { class: "num" }, one ? String(one[4]) : "–"));
    });
    const plain = (text, kind) => make("th", { scope: "col", class: kind || "" }, text);
    return table("Mean over all sessions, and first minus second over the scenarios that both have held, with 95 % intervals clustered by client profile.",
      [plain("Metric"), plain(title(a)), plain(title(b)), plain("Difference"), plain("So"), plain("Scenarios", "num"), plain("Only one has", "num")], rows, "");
  }

  function link(model, scenario, text) {
    return scenario.number === null ? text : make("a", { href: `session.html#${model.slug}/${scenario.number}` }, text);
  }

  function scenarios(a, b) {
    const theirs = new Map(b.scenarios.map((one) => [one.pair, one]));
    const both = a.scenarios.filter((one) => theirs.has(one.pair) && (!resistance.value || one.resistance === resistance.value));
    const gaps = both.flatMap((one) => a.metrics.map((_, index) => gap(one, theirs.get(one.pair), index))).filter((one) => one !== null);
    const reach = Math.max(0.01, ...gaps.map(Math.abs));
    const rows = both.map((one) => {
      const other = theirs.get(one.pair);
      const cells = a.metrics.flatMap((_, index) => {
        const difference = gap(one, other, index);
        return [make("td", { class: "num" }, figure(one.values[index])), make("td", { class: "num" }, figure(other.values[index])),
          make("td", { class: "gap", "data-value": difference === null ? "" : String(difference) }, figure(difference), difference === null ? null : drawBar(difference, null, null, -reach, reach))];
      });
      return make("tr", {}, make("th", { scope: "row", class: "pair" }, one.pair), make("td", {}, one.resistance), ...cells,
        make("td", { class: "ending" }, link(a, one, `${one.ended}, ${figure(one.turns, 0)} turns`)), make("td", { class: "ending" }, link(b, other, `${other.ended}, ${figure(other.turns, 0)} turns`)));
    });
    const heads = [heading("Scenario"), heading("Resistance"),
      ...a.metrics.flatMap((metric) => [heading(`${metric.title}, first`, "number", "descending"), heading("second", "number", "descending"), heading("difference", "number", "descending", "")]),
      heading("First ended"), heading("Second ended")];
    const built = table(`${rows.length} scenarios that both have held; the endings lead to the sessions.`, heads, rows, "sortable");
    makeSortable(built.querySelector("table"));
    return built;
  }

  function gap(one, other, index) {
    return one.values[index] === null || other.values[index] === null ? null : one.values[index] - other.values[index];
  }

  async function show() {
    const mine = ++turn;
    limit();
    if (!second.value) {
      result.replaceChildren();
      status.textContent = "There is no other model under this protocol.";
      return;
    }
    status.textContent = "Loading …";
    history.replaceState(null, "", `#${first.value}/${second.value}`);
    try {
      const [a, b] = await Promise.all([load("models", first.value), load("models", second.value)]);
      if (mine !== turn) return;
      result.replaceChildren(make("h2", {}, "Overall"), overall(a, b), make("h2", {}, "Scenario by scenario"), scenarios(a, b));
      status.textContent = a.faces === b.faces ? `Both with: ${a.faces}.` : `Other faces: the first with ${a.faces}, the second with ${b.faces}.`;
    } catch (error) {
      if (mine === turn) { result.replaceChildren(); status.textContent = `The models cannot be shown: ${error.message}.`; }
    }
  }

  // Only models of one protocol are compared.
  function limit() {
    const board = first.selectedOptions[0].dataset.board;
    for (const option of second.options) option.disabled = option.dataset.board !== board || option.value === first.value;
    for (const group of second.children) group.hidden = [...group.children].every((option) => option.disabled);
    if (!second.selectedOptions.length || second.selectedOptions[0].disabled) {
      second.value = ([...second.options].find((option) => !option.disabled) || { value: "" }).value;
    }
  }

  function fromAddress() {
    const [a, b] = location.hash.slice(1).split("/");
    const has = (select, value) => [...select.options].some((option) => option.value === value);
    if (has(first, a)) first.value = a;
    limit();
    if (has(second, b)) second.value = b;
    show();
  }

  first.addEventListener("change", show);
  second.addEventListener("change", show);
  resistance.addEventListener("change", show);
  addEventListener("hashchange", fromAddress);
  fromAddress();
})();
