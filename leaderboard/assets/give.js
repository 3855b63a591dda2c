// Loads a payload on demand. A page opened from disk may not read files, but may run a script beside it.
"use strict";
const waiting = new Map();
const given = new Map();

// Called by the payloads. The JSON comes as text, so that no key of it can be more than a key.
function mirrorGive(key, text) {
  given.set(key, JSON.parse(text));
}

// Returns the payload under `key`; `kind` is the folder of data it lies in. Only names that the site makes are asked for.
function load(kind, key) {
  if (!/^[a-z0-9-]+(\/[0-9]+)?$/.test(key)) return Promise.reject(new Error("no such name"));
  if (given.has(key)) return Promise.resolve(given.get(key));
  if (!waiting.has(key)) {
    waiting.set(key, new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = `data/${kind}/${key}.js`;
      script.addEventListener("load", () => {
        if (given.has(key)) resolve(given.get(key)); else reject(new Error("the file is damaged"));
      });
      script.addEventListener("error", () => { waiting.delete(key); reject(new Error("there is no such file")); });
      document.head.append(script);
    }));
  }
  return waiting.get(key);
}

// Makes an element; every text becomes a text node, and attributes are set by name, so nothing is ever parsed.
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== "" && value !== false) element.setAttribute(key, value === true ? "" : value);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

function makeSvg(name, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

// Writes a number with a true minus sign, or a dash for a missing one.
function figure(value, digits = 2) {
  if (value === null || value === undefined) return "–";
  const text = value.toFixed(digits);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
}

// Draws an interval on its scale, as the tables of the other pages do.
function drawBar(value, low, high, from, to) {
  const place = (one) => `${2 + 96 * Math.min(1, Math.max(0, (one - from) / (to - from)))}%`;
  const svg = makeSvg("svg", { class: "bar", "aria-hidden": "true", focusable: "false" },
    makeSvg("line", { class: "bar-scale", x1: "2%", x2: "98%", y1: "50%", y2: "50%" }));
  if (from < 0 && to > 0) svg.append(makeSvg("line", { class: "bar-zero", x1: place(0), x2: place(0), y1: "10%", y2: "90%" }));
  if (low !== null && high !== null) svg.append(makeSvg("line", { class: "bar-range", x1: place(low), x2: place(high), y1: "50%", y2: "50%" }));
  svg.append(makeSvg("circle", { class: "bar-point", cx: place(value), cy: "50%", r: "4" }));
  return svg;
}
