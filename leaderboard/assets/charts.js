// Drawings of the session viewer: the client's state over its turns, and the strength of what a face shows.
"use strict";
const STATE = { width: 160, height: 44, edge: 4 };

// Returns a list of small curves, one per state, with a mark where `current` (an index of turns) lies.
function drawStates(turns, current, goTo) {
  const clients = turns.map((turn, index) => [turn, index]).filter(([turn]) => turn.client && turn.state);
  const names = [...new Set(clients.flatMap(([turn]) => Object.keys(turn.state)))];
  return names.map((name) => {
    const points = clients.filter(([turn]) => Object.hasOwn(turn.state, name)).map(([turn, index]) => [turn.state[name], index]);
    return drawState(name, points, current, goTo);
  });
}

function drawState(name, points, current, goTo) {
  const { width, height, edge } = STATE;
  const x = (number) => points.length < 2 ? width / 2 : edge + number * (width - 2 * edge) / (points.length - 1);
  const y = (value) => height - edge - (height - 2 * edge) * Math.min(1, Math.max(0, value));
  const at = points.findLastIndex(([, index]) => index <= current);
  const now = points[Math.max(0, at)];
  const svg = makeSvg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${name}: ${figure(now[0])} at this turn, on a scale from 0 to 1` },
    makeSvg("line", { class: "spark-edge", x1: 0, x2: width, y1: y(0), y2: y(0) }),
    makeSvg("line", { class: "spark-edge", x1: 0, x2: width, y1: y(1), y2: y(1) }),
    makeSvg("polyline", { class: "spark-line", points: points.map(([value], number) => `${x(number).toFixed(1)},${y(value).toFixed(1)}`).join(" ") }),
    makeSvg("line", { class: "spark-now", x1: x(Math.max(0, at)), x2: x(Math.max(0, at)), y1: 0, y2: height }),
    makeSvg("circle", { class: "bar-point", cx: x(Math.max(0, at)), cy: y(now[0]), r: 3.5 }));
  svg.addEventListener("click", (event) => {
    const box = svg.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    const number = Math.round(Math.min(1, Math.max(0, share)) * (points.length - 1));
    goTo(points[number][1]);
  });
  return make("li", {}, make("p", { class: "spark-name" }, name, " ", make("span", { class: "quiet" }, figure(now[0]))), svg);
}

// Returns what face and body show as a list with bars.
function drawBody(body) {
  return make("ul", { class: "units" }, ...body.map(([name, meaning, strength, text]) => {
    const item = make("li", {}, make("span", { class: "unit" }, name), make("span", {}, meaning), make("span", { class: "num" }, text));
    if (strength !== null) {
      item.append(makeSvg("svg", { class: "strength", "aria-hidden": "true", focusable: "false" },
        makeSvg("rect", { class: "strength-all", width: "100%", height: "100%", rx: 2 }),
        makeSvg("rect", { class: "strength-own", width: `${100 * Math.min(1, Math.max(0, strength))}%`, height: "100%", rx: 2 })));
    }
    return item;
  }));
}
