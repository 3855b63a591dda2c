// Colour theme: automatic, light or dark; remembered where the browser allows it.
(() => {
  "use strict";
  const names = { auto: "automatic", light: "light", dark: "dark" };
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const remembered = () => { try { return localStorage.getItem("mirror-bench-theme"); } catch { return null; } };
  const remember = (theme) => { try { localStorage.setItem("mirror-bench-theme", theme); } catch { /* no storage */ } };
  let theme = "auto";
  const show = (next) => {
    theme = next in names ? next : "auto";
    if (theme === "auto") root.removeAttribute("data-theme"); else root.setAttribute("data-theme", theme);
    button.textContent = `Colours: ${names[theme]}`;
  };
  show(remembered());
  button.hidden = false;
  button.addEventListener("click", () => {
    const order = Object.keys(names);
    show(order[(order.indexOf(theme) + 1) % order.length]);
    remember(theme);
  });
  // What an address points at may be folded away.
  const uncover = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let part = target.closest("details"); part; part = part.parentElement.closest("details")) part.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", uncover);
  if (document.querySelector("details.part")) uncover();
  const unfold = document.getElementById("unfold");
  if (unfold) {
    unfold.hidden = false;
    unfold.addEventListener("click", () => {
      const parts = [...document.querySelectorAll("details.part")];
      const open = parts.some((part) => !part.open);
      for (const part of parts) part.open = open;
      unfold.textContent = open ? "Fold all parts" : "Open all parts";
    });
  }
  // Paper cannot unfold anything.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const part of opened) part.open = true;
  });
  addEventListener("afterprint", () => { for (const part of opened) part.open = false; });
})();
