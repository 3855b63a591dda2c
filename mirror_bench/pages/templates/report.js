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
  // Paper cannot unfold anything.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const part of opened) part.open = true;
  });
  addEventListener("afterprint", () => { for (const part of opened) part.open = false; });
})();
