// The session viewer. The address holds what is shown: #model/session or #model/session/turn.
"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const status = byId("status");
  const keys = byId("keys");
  let session = null;
  let current = 0;
  let item = -1;
  let items = [];
  let asked = 0;

  const place = () => location.hash.slice(1).split("/");
  const address = (number, turn) => `#${place()[0]}/${number}${turn === undefined ? "" : `/${turn + 1}`}`;

  async function open() {
    const [model, number, turn] = place();
    const mine = ++asked;
    if (session && session.model === model && session.number === Number(number)) {
      select(Number(turn) - 1 || 0, false);
      return;
    }
    status.hidden = false;
    status.textContent = "Loading …";
    try {
      const found = await load("sessions", `${model}/${number}`);
      if (mine !== asked) return;
      session = found;
      draw();
      status.hidden = true;
      byId("viewer").hidden = false;
      select(Number(turn) - 1 || 0, Boolean(turn));
    } catch (error) {
      if (mine !== asked) return;
      session = null;
      byId("viewer").hidden = true;
      status.textContent = `This session cannot be shown: ${error.message}. Choose one on a model's page.`;
    }
  }

  function draw() {
    const heading = `${session.label}: ${session.resistance === "none" ? "no" : session.resistance} resistance`;
    byId("heading").replaceChildren(make("a", { href: `models/${session.model}.html` }, heading));
    document.title = heading;
    const facts = [["Scenario", session.scenario], ["Profile", session.profile], ["Faces", session.faces], ["Client", session.client],
      ["Ending", session.reason ? `${session.ended}: ${session.reason}` : session.ended], ["Session", `${session.number} of ${session.of}`],
      ...(session.technique ? [["Technique", session.technique]] : [])];
    byId("facts").replaceChildren(...facts.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
    byId("plan").replaceChildren(...(session.plan ? [fold("The therapist's plan", session.plan)] : []));
    byId("turns").replaceChildren(...session.turns.map(drawTurn));
    items = [];
    byId("ratings").replaceChildren(...(session.ratings.length ? session.ratings.map(drawRating) : [make("p", { class: "note" }, "This session has no rating.")]));
    item = -1;
    byId("session-before").disabled = session.number <= 1;
    byId("session-after").disabled = session.number >= session.of;
  }

  const fold = (title, text) => make("details", {}, make("summary", {}, title), make("p", { class: "pre" }, text));

  function faceNote(turn) {
    if (turn.hidden) return turn.own ? `No face was shown. The client's own: ${turn.own}.` : "No face was shown.";
    return turn.own && turn.own !== turn.shown ? `Shown: ${turn.shown}; the client's own face: ${turn.own}.` : `Shown: ${turn.shown}.`;
  }

  function drawFace(turn) {
    const note = faceNote(turn);
    const image = turn.face && /^[0-9a-f]{64}$/.test(turn.face)
      ? make("img", { src: `faces/${turn.face}.webp`, width: "112", height: "112", alt: note })
      : make("div", { class: "no-face", "aria-hidden": "true" }, "no image");
    return make("figure", { class: "face" }, image, make("figcaption", {}, note));
  }

  function drawTurn(turn, index) {
    const labelled = (kind, label, text) => text ? make("p", { class: kind }, make("span", { class: "quiet" }, label, " "), text) : null;
    const words = make("p", { class: "words pre" }, turn.words || make("span", { class: "missing" }, "(silent)"));
    const said = make("div", { class: "said" },
      make("p", { class: "who" }, turn.client ? "Client " : "Therapist ", make("a", { class: "number", href: address(session.number, index) }, `turn ${index + 1}`)),
      labelled("direction", "Stage direction, never read by the therapist:", turn.direction),
      labelled("caption", "Caption that the therapist wrote of the face:", turn.caption), words,
      turn.marks ? make("p", { class: "marks" }, make("span", { class: "quiet" }, "What moved the client: "), ...turn.marks.map((mark) => make("span", { class: "mark" }, mark))) : null,
      turn.cut ? make("p", { class: "removed" }, "Cut at the limit of tokens") : null,
      turn.removed ? make("p", { class: "removed" }, `Removed from the answer: ${turn.removed.join(", ")}`) : null,
      turn.raw ? fold("The answer as the model gave it", turn.raw) : null);
    const row = make("li", { class: `turn ${turn.client ? "client" : "therapist"}`, tabindex: "-1" }, ...(turn.client ? [drawFace(turn), said] : [said]));
    row.addEventListener("click", (event) => { if (!event.target.closest("a, summary")) select(index, false); });
    return row;
  }

  function drawRating(rating) {
    const list = make("ul", { class: "items" }, ...rating.items.map((one) => {
      const number = items.length;
      const scored = one.score === null ? make("span", { class: "missing" }, "missing") : make("strong", {}, figure(one.score, 1));
      const button = make("button", { type: "button", class: "item", "aria-pressed": "false" }, make("span", {}, one.title), scored);
      const evidence = one.evidence.map((found) => typeof found === "number"
        ? (session.turns[found] ? make("a", { href: address(session.number, found) }, `turn ${found + 1}`) : `turn ${found + 1}, which the session does not have`)
        : make("q", { class: "bare" }, `“${found}”`));
      const about = make("div", { class: "item-about", hidden: true }, make("p", {}, one.reason || "No reason was given."),
        make("p", { class: "quiet" }, "Evidence: ", ...(evidence.length ? evidence.flatMap((part, index) => index ? [", ", part] : [part]) : ["none"])));
      button.addEventListener("click", () => highlight(item === number ? -1 : number));
      items.push({ button, about, evidence: one.evidence });
      return make("li", {}, button, one.score === null ? null : drawBar(one.score, null, null, rating.low, rating.high), about);
    }));
    return make("div", { class: "rating-card" }, make("h3", {}, `${rating.instrument} `, make("span", { class: "quiet" }, `by ${rating.rater}, ${rating.low} to ${rating.high}`)), list);
  }

  // Marks the turns and the very words that an item's rating rests on.
  function highlight(number) {
    item = number;
    const chosen = items[number];
    const numbers = chosen ? chosen.evidence.filter((one) => typeof one === "number") : [];
    const quotes = chosen ? chosen.evidence.filter((one) => typeof one === "string" && one.trim()) : [];
    for (const [index, one] of items.entries()) {
      one.button.setAttribute("aria-pressed", String(index === number));
      one.about.hidden = index !== number;
    }
    let firstMarked = -1;
    for (const [index, row] of [...byId("turns").children].entries()) {
      const turn = session.turns[index];
      const found = markQuotes(row.querySelector(".words"), turn.words, quotes);
      const marked = found || numbers.includes(index);
      row.classList.toggle("evidence", marked);
      row.querySelector(".evidence-note")?.remove();
      if (marked) row.querySelector(".who").append(make("span", { class: "evidence-note" }, "evidence"));
      if (marked && firstMarked < 0) firstMarked = index;
    }
    if (firstMarked >= 0) select(firstMarked, true);
    if (chosen) chosen.button.focus({ preventScroll: true });
  }

  function markQuotes(element, words, quotes) {
    if (!words) return false;
    const spans = quotes.map((quote) => [words.toLowerCase().indexOf(quote.trim().toLowerCase()), quote.trim().length])
      .filter(([start]) => start >= 0).sort(([a], [b]) => a - b);
    const parts = [];
    let end = 0;
    for (const [start, length] of spans) {
      if (start < end) continue;
      parts.push(words.slice(end, start), make("mark", {}, words.slice(start, start + length)));
      end = start + length;
    }
    element.replaceChildren(...parts, words.slice(end));
    return spans.length > 0;
  }

  function select(index, scroll) {
    if (!session || !session.turns.length) { byId("now").replaceChildren(make("p", { class: "note" }, "Nothing was said.")); return; }
    current = Math.min(session.turns.length - 1, Math.max(0, index));
    const rows = [...byId("turns").children];
    for (const [number, row] of rows.entries()) {
      row.classList.toggle("current", number === current);
      if (number === current) row.setAttribute("aria-current", "step"); else row.removeAttribute("aria-current");
    }
    if (scroll) rows[current].scrollIntoView({ block: "nearest" });
    history.replaceState(null, "", address(session.number, current));
    byId("turn-before").disabled = current === 0;
    byId("turn-after").disabled = current === session.turns.length - 1;
    drawNow();
  }

  function drawNow() {
    const at = session.turns.findLastIndex((turn, index) => turn.client && index <= current);
    const turn = session.turns[at];
    const parts = [make("p", { class: "quiet" }, turn ? `What the client shows at turn ${at + 1}${at === current ? "" : `, before turn ${current + 1}`}` : "The client has not spoken yet.")];
    if (turn) parts.push(make("div", { class: "now-face" }, drawFace(turn), turn.body ? drawBody(turn.body) : make("p", { class: "note" }, "No action unit: the face is at rest.")));
    const states = drawStates(session.turns, current, (index) => select(index, true));
    parts.push(states.length ? make("ul", { class: "sparks" }, ...states) : make("p", { class: "note" }, "This client logs no state."));
    byId("now").replaceChildren(...parts);
  }

  const turnBy = (step) => select(current + step, true);
  const sessionBy = (step) => {
    const wanted = session.number + step;
    if (wanted >= 1 && wanted <= session.of) location.hash = address(wanted);
  };
  const itemBy = (step) => { if (items.length) highlight((Math.max(item, step > 0 ? -1 : 0) + step + items.length) % items.length); };
  const actions = { j: () => turnBy(1), k: () => turnBy(-1), n: () => sessionBy(1), p: () => sessionBy(-1), i: () => itemBy(1), u: () => itemBy(-1), Escape: () => highlight(-1) };
  byId("turn-after").addEventListener("click", actions.j);
  byId("turn-before").addEventListener("click", actions.k);
  byId("session-after").addEventListener("click", actions.n);
  byId("session-before").addEventListener("click", actions.p);
  addEventListener("keydown", (event) => {
    if (!session || !keys.checked || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=checkbox]), select, textarea")) return;
    if (Object.hasOwn(actions, event.key)) { event.preventDefault(); actions[event.key](); }
  });
  addEventListener("hashchange", open);
  open();
})();
