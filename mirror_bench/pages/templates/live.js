// Asks the viewer again and again, and changes only what has changed. All HTML comes escaped from the viewer.
(() => {
  "use strict";
  const token = document.querySelector('meta[name="token"]').content;
  const places = ["progress", "sessions", "findings", "session"];
  const shown = {};
  let wanted = decodeURIComponent(location.hash.slice(1));
  const fill = (name, html) => {
    if (shown[name] === html) return;
    const place = document.getElementById(name);
    const focused = place.contains(document.activeElement) ? document.activeElement.id : "";
    const unfolded = [...place.querySelectorAll("details")].map((part) => part.open);
    place.innerHTML = shown[name] = html;
    [...place.querySelectorAll("details")].forEach((part, n) => { part.open = Boolean(unfolded[n]); });
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  };
  let asking = false;
  const look = async () => {
    if (asking) return;
    asking = true;
    try {
      const answer = await fetch(`/state?session=${encodeURIComponent(wanted)}`);
      const state = await answer.json();
      for (const name of places) fill(name, state[name]);
      document.getElementById("lost").hidden = true;
    } catch { document.getElementById("lost").hidden = false; }
    asking = false;
  };
  addEventListener("click", async (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.session) {
      wanted = button.dataset.session;
      history.replaceState(null, "", `#${encodeURIComponent(wanted)}`);
    }
    if (button.dataset.finding) {
      button.disabled = true;
      await fetch(`/findings/${encodeURIComponent(button.dataset.finding)}`, {
        method: "POST", headers: { "X-Token": token }, body: JSON.stringify({ said: button.dataset.said }),
      });
    }
    look();
  });
  look();
  setInterval(look, 1000);
})();
