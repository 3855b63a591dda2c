// Keeps every answer as soon as it is given, goes from part to part, and hands the answers out as a file.
(() => {
  "use strict";
  const { study, rater, form } = document.body.dataset;
  const byId = (id) => document.getElementById(id);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const pages = all(".page"), tasks = all(".task");
  const place = `mirror-bench-study.${study}.${rater}`;
  const fresh = () => ({
    version: 1, study, rater, form, consent: "", started: "", saved: "", answers: {}, remarks: {}, seconds: {},
  });
  let state = fresh();
  let shown = pages[0], since = Date.now(), watched = !document.hidden, keeps = true, unsent = false;

  // -- keeping ---------------------------------------------------------------------------------------------
  const count = (of = state) => Object.values(of.answers).reduce((sum, one) => sum + Object.keys(one).length, 0);
  const unkept = (told) => {
    byId("unkept").textContent = told;
    byId("unkept").hidden = false;
  };
  const tick = () => {  // counts the time that a task was in sight
    const now = Date.now(), task = shown.dataset.task;
    if (task && watched) {
      const spent = Math.min(600, (now - since) / 1000);  // who goes away for an hour does not read for an hour
      state.seconds[task] = Math.round(((state.seconds[task] || 0) + spent) * 10) / 10;
    }
    since = now;
    watched = !document.hidden;
  };
  const save = () => {
    tick();
    state.saved = new Date().toISOString();
    try {
      localStorage.setItem(place, JSON.stringify(state));
      if (localStorage.getItem(place) !== JSON.stringify(state)) throw new Error("not kept");
      keeps = true;
      byId("unkept").hidden = true;
      byId("kept").textContent = `Rater ${rater}: ${count()} answers kept in this browser`;
    } catch {
      keeps = false;
      byId("kept").textContent = `Rater ${rater}: ${count()} answers, not kept`;
      unkept("This browser keeps nothing of this page (private window, or storage switched off or full). Your answers are lost "
        + "when you close it: download the file with your answers before, under “Send in”, or open the form in another browser.");
    }
  };
  const usable = (held) => held && typeof held === "object" && held.version === 1 && held.study === study
    && held.rater === rater && ["answers", "remarks", "seconds"].every((name) => held[name] && typeof held[name] === "object");
  const load = () => {
    try {
      const held = JSON.parse(localStorage.getItem(place));
      if (usable(held)) state = { ...fresh(), ...held };
    } catch { /* nothing kept, or nothing that can be read */ }
  };

  // -- showing ---------------------------------------------------------------------------------------------
  const questions = (task) => all(".question", task);
  const given = (task, key) => (state.answers[task.dataset.task] || {})[key];
  const open = (task) => questions(task).filter((one) => given(task, one.dataset.key) === undefined);
  const fill = () => {
    byId("consent").checked = Boolean(state.consent);
    for (const task of tasks) {
      for (const one of questions(task)) {
        const value = given(task, one.dataset.key);
        for (const input of all("input", one)) input.checked = input.value === value;
      }
      byId(`${task.id}-remark`).value = state.remarks[task.dataset.task] || "";
    }
    mark();
  };
  const mark = (some = tasks) => {
    for (const task of some) {
      const left = open(task).length;
      const button = document.querySelector(`[data-to="${task.id}"]`);
      button.classList.toggle("done", left === 0);
      button.setAttribute("aria-label", `${byId(`${task.id}-title`).textContent}${left ? "" : ", answered"}`);
      for (const one of questions(task)) {
        if (given(task, one.dataset.key) !== undefined) one.classList.remove("open");
      }
      if (!left) task.querySelector("[data-open]").textContent = "";
    }
  };
  const tell = () => {
    const whole = tasks.filter((task) => !open(task).length).length;
    byId("told").textContent = whole === tasks.length
      ? `All ${tasks.length} are answered. Thank you.`
      : `${whole} of ${tasks.length} are answered in full. You can send in what there is; more is better.`;
    byId("plain").value = JSON.stringify(state);
  };
  const show = (page) => {
    if (page !== pages[0] && !state.consent) {
      byId("consent-missing").hidden = false;
      page = pages[0];
    }
    save();
    shown = page;
    for (const one of pages) one.hidden = one !== page;
    for (const button of all("[data-to]")) {
      if (button.dataset.to === page.id) button.setAttribute("aria-current", "step"); else button.removeAttribute("aria-current");
    }
    if (page.id === "end") tell();
    scrollTo(0, 0);
    const read = page.querySelector(".read");
    if (read) read.scrollTop = 0;
    page.querySelector("h1, h2").focus({ preventScroll: true });
  };

  // -- answering -------------------------------------------------------------------------------------------
  addEventListener("change", ({ target }) => {
    const task = target.closest(".task"), question = target.closest(".question");
    if (!task || !question) return;
    (state.answers[task.dataset.task] ||= {})[question.dataset.key] = target.value;
    unsent = true;
    save();
    mark([task]);
  });
  addEventListener("input", ({ target }) => {
    if (!("remark" in target.dataset)) return;
    state.remarks[target.closest(".task").dataset.task] = target.value;
    unsent = true;
    save();
  });
  addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (!button) return;
    const at = pages.indexOf(shown);
    if (button.dataset.to) show(byId(button.dataset.to));
    if (button.dataset.go === "back") show(pages[Math.max(0, at - 1)]);
    if (button.dataset.go === "on") {
      const left = shown.dataset.task ? open(shown) : [];
      const told = shown.querySelector("[data-open]");
      if (left.length && !told.textContent) {  // once; who presses again goes on
        for (const one of left) one.classList.add("open");
        told.textContent = left.length === 1 ? "1 question is open, marked above. Next again goes on without it."
          : `${left.length} questions are open, marked above. Next again goes on without them.`;
        left[0].querySelector("input").focus();
        return;
      }
      show(pages[at + 1]);
    }
  });
  byId("begin").addEventListener("click", () => {
    if (!byId("consent").checked) {
      byId("consent-missing").hidden = false;
      byId("consent").focus();
      return;
    }
    state.consent ||= new Date().toISOString();
    state.started ||= state.consent;
    byId("consent-missing").hidden = true;
    show(tasks.find((task) => open(task).length) || byId("end"));
  });
  byId("consent").addEventListener("change", () => {
    if (byId("consent").checked) byId("consent-missing").hidden = true;
    else { state.consent = ""; save(); }
  });

  // -- the file --------------------------------------------------------------------------------------------
  byId("download").addEventListener("click", () => {
    save();
    tell();
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify(state)], { type: "application/json" }));
    link.download = `answers-${study}-${rater}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    unsent = false;
    byId("downloaded").textContent = `${link.download} is in your downloads.`;
  });
  byId("earlier").addEventListener("change", async ({ target }) => {
    const said = byId("earlier-said");
    try {
      const held = JSON.parse(await target.files[0].text());
      if (!usable(held)) {
        said.textContent = "This file holds no answers to this form: choose the one that you downloaded from it.";
        return;
      }
      if (count() && !confirm(`Replace the ${count()} answers here by the ${count(held)} of the file?`)) return;
      state = { ...fresh(), ...held };
      save();
      fill();
      said.textContent = `${count()} answers read. Press Begin to go on.`;
    } catch {
      said.textContent = "This file cannot be read: choose the one that you downloaded from this form.";
    }
  });
  byId("forget").addEventListener("click", () => {
    if (!confirm("Remove all your answers from this browser?")) return;
    state = fresh();
    unsent = false;
    fill();
    show(pages[0]);
    try { localStorage.removeItem(place); } catch { /* nothing was kept */ }
    byId("kept").textContent = `Rater ${rater}: nothing is kept`;
  });
  addEventListener("storage", ({ key }) => {  // the same form in another tab
    if (key !== place) return;
    load();
    fill();
  });
  addEventListener("visibilitychange", save);
  addEventListener("beforeunload", (event) => {
    if (!keeps && unsent) event.preventDefault();
    else if (keeps && state.consent) save();
  });

  load();
  fill();
  save();
})();
