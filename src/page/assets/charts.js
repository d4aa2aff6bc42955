// SPDX-License-Identifier: Apache-2.0
// The values under the pointer, or by the arrow keys.
const formats = {
  number: (v) => Math.abs(v) >= 1000 ? Math.round(v).toLocaleString("en") : String(+v.toPrecision(4)),
  percent: (v) => percent(v, 1),
  scientific: (v) => String(+v.toPrecision(4)),
};
const numbers = (text) => (text || "").split(" ").filter((part) => part !== "").map(Number);

function readChart(svg) {
  const [left, top, width, height] = numbers(svg.dataset.plot);
  const lines = [...svg.querySelectorAll("path[data-x]")].map((path) => {
    const y = numbers(path.dataset.y);
    return {name: path.dataset.name, values: new Map(numbers(path.dataset.x).map((x, i) => [x, y[i]]))};
  });
  const xs = [...new Set(lines.flatMap((line) => [...line.values.keys()]))].sort((a, b) => a - b);
  return {svg, left, top, width, height, lines, xs, range: numbers(svg.dataset.xRange),
          xLabel: svg.dataset.xLabel || "", title: svg.querySelector(".title")?.textContent || "",
          format: formats[svg.dataset.yFormat] || formats.number};
}

function showValues(chart, tip, index) {
  const x = chart.xs[index];
  const at = chart.left + (x - chart.range[0]) / (chart.range[1] - chart.range[0] || 1) * chart.width;
  chart.svg.querySelector(".cursor")?.remove();
  const cursor = document.createElementNS("http://www.w3.org/2000/svg", "line");
  for (const [name, value] of Object.entries({x1: at, x2: at, y1: chart.top, y2: chart.top + chart.height, class: "cursor"}))
    cursor.setAttribute(name, value);
  chart.svg.append(cursor);
  const rows = chart.lines.filter((line) => Number.isFinite(line.values.get(x)))
                   .map((line) => element("div", {}, (line.name || chart.title) + "  " + chart.format(line.values.get(x))));
  tip.replaceChildren(element("strong", {}, chart.xLabel + " " + x), ...rows);
  tip.hidden = false;
  const scale = chart.svg.clientWidth / chart.svg.viewBox.baseVal.width;
  const room = chart.svg.parentNode.clientWidth - tip.offsetWidth - 4;
  const beside = at * scale + 16;
  tip.style.left = (beside <= room ? beside : Math.max(4, at * scale - tip.offsetWidth - 4)) + "px";
  tip.style.top = chart.top * scale + 12 + "px";
}

function enliven(svg) {
  const chart = readChart(svg);
  if (chart.xs.length === 0) return;
  const tip = element("div", {class: "tip", role: "status"});
  tip.hidden = true;
  svg.parentNode.append(tip);
  svg.setAttribute("tabindex", "0");
  let index = chart.xs.length - 1;
  const hide = () => {
    tip.hidden = true;
    svg.querySelector(".cursor")?.remove();
  };
  const show = (event) => {
    const box = svg.getBoundingClientRect();
    const at = (event.clientX - box.left) / box.width * svg.viewBox.baseVal.width;
    const x = chart.range[0] + (at - chart.left) / chart.width * (chart.range[1] - chart.range[0]);
    index = chart.xs.reduce((best, value, i) => Math.abs(value - x) < Math.abs(chart.xs[best] - x) ? i : best, 0);
    showValues(chart, tip, index);
  };
  svg.addEventListener("pointermove", show);
  svg.addEventListener("pointerdown", show);  // a tap
  svg.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && hide());
  svg.addEventListener("blur", hide);
  svg.addEventListener("keydown", (event) => {
    const move = {ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity}[event.key];
    if (move === undefined) return;
    event.preventDefault();
    index = Math.min(chart.xs.length - 1, Math.max(0, index + move));
    showValues(chart, tip, index);
  });
}
