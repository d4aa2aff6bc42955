"use strict";
// The page stands without this script but for the confusion matrix and the examples; names go in as text nodes only.
(() => {
  const element = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };
  const byId = (id) => document.getElementById(id);
  const percent = (fraction, digits = 0) => (100 * fraction).toFixed(digits) + " %";

  let data = {};
  let pickedCell = null;  // [truth, prediction]

  // ---- theme -------------------------------------------------------------------------------------------------------
  const isDark = () => {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  };
  byId("theme").addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    drawMatrix();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawMatrix());

  // ---- contents ----------------------------------------------------------------------------------------------------
  function fillContents() {
    const links = [...document.querySelectorAll("main section[id] > h2")].map(
        (title) => element("a", {href: "#" + title.parentNode.id}, title.textContent));
    byId("contents").replaceChildren(...links);
  }

  // ---- charts: the values under the pointer, or by the arrow keys --------------------------------------------------
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
    return {svg, left, top, width, height, lines, xs, range: numbers(svg.dataset.xRange), xLabel: svg.dataset.xLabel || "", title: svg.querySelector(".title")?.textContent || "",
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
    svg.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect();
      const at = (event.clientX - box.left) / box.width * svg.viewBox.baseVal.width;
      const x = chart.range[0] + (at - chart.left) / chart.width * (chart.range[1] - chart.range[0]);
      index = chart.xs.reduce((best, value, i) => Math.abs(value - x) < Math.abs(chart.xs[best] - x) ? i : best, 0);
      showValues(chart, tip, index);
    });
    svg.addEventListener("pointerleave", hide);
    svg.addEventListener("blur", hide);
    svg.addEventListener("keydown", (event) => {
      const move = {ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity}[event.key];
      if (move === undefined) return;
      event.preventDefault();
      index = Math.min(chart.xs.length - 1, Math.max(0, index + move));
      showValues(chart, tip, index);
    });
  }

  // ---- tables sorted by a column -----------------------------------------------------------------------------------
  function makeSortable(table) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = element("button", {type: "button"}, head.textContent);
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const rising = head.getAttribute("aria-sort") === "descending" ||
                       (!head.hasAttribute("aria-sort") && !head.classList.contains("number"));
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", rising ? "ascending" : "descending");
        const text = (row) => row.cells[column].textContent;
        const number = (row) => Number(text(row).replaceAll(",", ""));
        const compare = head.classList.contains("number") ? (a, b) => number(a) - number(b) : (a, b) => text(a).localeCompare(text(b));
        const body = table.tBodies[0];
        body.append(...[...body.rows].sort((a, b) => rising ? compare(a, b) : compare(b, a)));
      });
    });
  }

  // ---- examples ----------------------------------------------------------------------------------------------------
  const shown = () => Math.max(1, Math.round(96 / data.sheet.width));  // whole multiples keep the pixels even

  function tile(example) {
    const {width, height, columns} = data.sheet;
    const heat = byId("heat")?.getAttribute("aria-pressed") === "true" && example.heat >= 0;
    const number = heat ? example.heat : example.tile;
    const scale = shown();
    const name = data.classes[example.prediction];
    const span = element("span", {class: "tile " + (heat ? "heat-sheet" : "image-sheet"), role: "img", "aria-label": data.classes[example.truth] + ", taken for " + name});
    span.style.width = width * scale + "px";
    span.style.height = height * scale + "px";
    span.style.backgroundPosition = -(number % columns) * width * scale + "px " + -Math.floor(number / columns) * height * scale + "px";
    return span;
  }

  function figure(example) {
    const right = example.truth === example.prediction;
    const caption = element("figcaption", {},
        element("span", {class: right ? "right" : "wrong"}, (right ? "✓ " : "✗ ") + data.classes[example.truth]),
        ...example.top.map(([label, probability]) => {
          const bar = element("span", {class: "bar"}, element("i"), element("span", {}, data.classes[label]), element("span", {}, percent(probability)));
          bar.firstChild.style.width = percent(probability, 1).replace(" ", "");
          return bar;
        }),
        element("span", {class: "file", title: example.name}, example.name));
    return element("figure", {}, tile(example), caption);
  }

  function defineSheets() {
    const {width, columns} = data.sheet;
    const size = `background-size: ${width * columns * shown()}px auto;`;
    const rules = [["image-sheet", data.sheet.images], ["heat-sheet", data.sheet.heat]].filter(([, uri]) => uri)
                      .map(([name, uri]) => `.${name} { background-image: url(${uri}); ${size} }`);
    byId("sheets")?.remove();
    const style = element("style", {id: "sheets"});
    style.textContent = rules.join("\n");
    document.head.append(style);
  }

  const fill = (id, examples) => byId(id)?.replaceChildren(...examples.map(figure));
  const ofCell = (truth, prediction) =>
      data.examples.filter((example) => example.truth === truth && example.prediction === prediction);

  function drawClassGallery(picked) {
    const most = 24;
    const right = ofCell(picked, picked).slice(0, most);
    const wrong = data.examples.filter((e) => e.truth === picked && e.prediction !== picked)
                      .sort((a, b) => b.top[0][1] - a.top[0][1]).slice(0, most);
    const choice = element("select", {"aria-label": "Class"},
                           ...data.classes.map((name, i) => element("option", {value: i}, name)));
    choice.value = picked;
    choice.addEventListener("change", () => {
      drawClassGallery(Number(choice.value));
      byId("by-class").querySelector("select").focus();
    });
    byId("by-class")?.replaceChildren(
        element("h4", {}, choice),
        element("h4", {}, right.length ? "Right" : "None of its images is answered right"), ...right.map(figure),
        ...(wrong.length ? [element("h4", {}, "Wrong")] : []), ...wrong.map(figure));
  }

  function drawExamples() {
    if (!data.sheet) return;
    fill("mistakes", data.mistakes.map((i) => data.examples[i]));
    fill("unsure", data.unsure.map((i) => data.examples[i]));
    if (data.mistakes.length === 0) byId("mistakes").replaceChildren("There are none.");
    if (data.unsure.length === 0) byId("unsure").replaceChildren("There are none.");
    drawClassGallery(Number(byId("by-class")?.querySelector("select")?.value || 0));
    if (pickedCell) showCell(...pickedCell);
  }

  // ---- confusion matrix --------------------------------------------------------------------------------------------
  const kMostButtons = 40;  // classes; beyond, the matrix is a picture
  const normalised = () => byId("normalise")?.getAttribute("aria-pressed") === "true";

  function readMatrix() {
    const n = data.classes.length;
    const counts = Array.from({length: n}, () => new Array(n).fill(0));
    for (const [truth, prediction, images] of data.confusion) counts[truth][prediction] = images;
    return {n, counts, sums: counts.map((row) => row.reduce((a, b) => a + b, 0))};
  }

  function showCell(truth, prediction) {
    pickedCell = [truth, prediction];
    const {counts} = readMatrix();
    const images = data.examples ? ofCell(truth, prediction) : [];
    const all = counts[truth][prediction];
    const title = truth === prediction ? `${data.classes[truth]}, answered right: ${all}`
                                       : `${data.classes[truth]} taken for ${data.classes[prediction]}: ${all}`;
    const gallery = element("div", {class: "gallery"}, ...images.map(figure));
    const rest = images.length < all ? [element("p", {class: "note"}, `${images.length} of ${all} are shown, the surest first.`)] : [];
    byId("cell-images").replaceChildren(element("h3", {}, title), ...rest, gallery);
    for (const button of byId("matrix").querySelectorAll("td button"))
      button.setAttribute("aria-pressed", button.dataset.cell === truth + "," + prediction);
  }

  /// Square root, so that a few confusions are seen beside thousands of right answers.
  const strength = (matrix, truth, prediction, largest) =>
      Math.sqrt(matrix.counts[truth][prediction] / (normalised() ? matrix.sums[truth] || 1 : largest));

  function matrixTable(matrix, largest) {
    const head = element("tr", {}, element("td"), ...data.classes.map((name) => element("th", {scope: "col", title: name}, element("span", {}, name))));
    const rows = data.classes.map((name, truth) => element("tr", {}, element("th", {scope: "row", title: name}, name),
        ...data.classes.map((other, prediction) => {
          const count = matrix.counts[truth][prediction];
          const text = normalised() ? (matrix.sums[truth] ? percent(count / matrix.sums[truth]) : "") : String(count);
          const button = element("button", {type: "button", "data-cell": truth + "," + prediction,
                                            "aria-label": `${name} taken for ${other}: ${count}`}, text);
          const power = strength(matrix, truth, prediction, largest);
          button.style.background = `rgba(var(--heat-1), ${(0.9 * power).toFixed(3)})`;
          if (power > 0.55) button.style.color = isDark() ? "#10151b" : "#ffffff";
          if (count === 0) button.style.color = "var(--muted)";
          button.addEventListener("click", () => showCell(truth, prediction));
          return element("td", {}, button);
        })));
    const table = element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows));
    table.addEventListener("keydown", (event) => {
      const step = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0]}[event.key];
      const at = event.target.dataset?.cell?.split(",").map(Number);
      if (!step || !at) return;
      event.preventDefault();
      table.querySelector(`[data-cell="${at[0] + step[0]},${at[1] + step[1]}"]`)?.focus();
    });
    return [table];
  }

  function matrixPicture(matrix, largest) {
    const canvas = element("canvas", {width: matrix.n, height: matrix.n, role: "img", "aria-label": "Confusion matrix; choose its cells by the lists below"});
    const context = canvas.getContext("2d");
    const colour = getComputedStyle(document.documentElement).getPropertyValue("--heat-1");
    for (const [truth, prediction] of data.confusion) {
      context.fillStyle = `rgba(${colour}, ${Math.max(0.12, strength(matrix, truth, prediction, largest))})`;
      context.fillRect(prediction, truth, 1, 1);
    }
    const cellAt = (event) => [event.offsetY, event.offsetX].map((v) => Math.min(matrix.n - 1, Math.floor(v / canvas.clientWidth * matrix.n)));
    canvas.addEventListener("click", (event) => showCell(...cellAt(event)));
    canvas.addEventListener("pointermove", (event) => {
      const [truth, prediction] = cellAt(event);
      canvas.title = `${data.classes[truth]} taken for ${data.classes[prediction]}: ${matrix.counts[truth][prediction]}`;
    });
    const list = (label) => element("select", {"aria-label": label}, ...data.classes.map((name, i) => element("option", {value: i}, name)));
    const truth = list("Truth"), prediction = list("Prediction");
    for (const select of [truth, prediction])
      select.addEventListener("change", () => showCell(Number(truth.value), Number(prediction.value)));
    const confused = data.confusion.filter(([t, p]) => t !== p).sort((a, b) => b[2] - a[2]).slice(0, 10).map(([t, p, images]) => {
      const button = element("button", {type: "button", "data-cell": t + "," + p}, `${data.classes[t]} taken for ${data.classes[p]}: ${images}`);
      button.addEventListener("click", () => showCell(t, p));
      return button;
    });
    return [canvas, element("div", {class: "pick"}, truth, " taken for ", prediction), element("div", {class: "pick"}, "Most often: ", ...confused)];
  }

  function drawMatrix() {
    if (!data.confusion || !byId("matrix")) return;
    const matrix = readMatrix();
    const largest = Math.max(1, ...data.confusion.map((cell) => cell[2]));
    byId("matrix").replaceChildren(...(matrix.n <= kMostButtons ? matrixTable : matrixPicture)(matrix, largest));
    if (pickedCell) showCell(...pickedCell);
  }

  // ---- a button that is pressed or not -----------------------------------------------------------------------------
  function makeToggle(id, whenPressed, action) {
    const button = byId(id);
    if (!button) return;
    const otherwise = button.textContent;
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => {
      const pressed = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", pressed);
      button.textContent = pressed ? whenPressed : otherwise;
      action();
    });
  }

  function start() {
    fillContents();
    document.querySelectorAll("svg[data-plot]").forEach(enliven);
    document.querySelectorAll("table.sortable").forEach(makeSortable);
    makeToggle("normalise", "Show counts", drawMatrix);
    makeToggle("heat", "Show the pictures", drawExamples);
    if (data.sheet) defineSheets();
    drawMatrix();
    drawExamples();
  }

  data = JSON.parse(byId("data").textContent);
  start();

  // ---- live: the run's server tells how far it is ------------------------------------------------------------------
  async function fetchJson(path) {
    const answer = await fetch(path, {cache: "no-store"});
    if (!answer.ok) throw new Error(answer.status);
    return answer.json();
  }

  async function renew() {
    const content = await fetchJson("content.json");
    document.querySelector("main").innerHTML = content.main;  // markup of our own server, names escaped
    byId("subtitle").textContent = content.subtitle;
    data = content.data;
    start();
  }

  async function follow() {
    let version = null;
    for (;;) {
      try {
        const state = await fetchJson("state.json");
        byId("progress").hidden = false;
        byId("progress").textContent = state.progress;
        if (version !== null && state.version !== version) await renew();
        version = state.version;
        if (state.done) break;
      } catch (error) {
        byId("progress").textContent = "The run no longer answers: it has ended, or was stopped. Its folder has the report.";
        break;
      }
      await new Promise((resume) => setTimeout(resume, 1000));
    }
    document.body.classList.remove("live");
  }
  if (document.body.classList.contains("live")) follow();
})();
