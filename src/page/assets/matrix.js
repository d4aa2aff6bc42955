// SPDX-License-Identifier: Apache-2.0
// The confusion matrix: a table of buttons; with many classes a picture and lists to choose from.
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
  const kept = images.length ? `${images.length} of ${all} are shown, the surest first.`
                             : "This page keeps none of these images.";
  const rest = images.length < all ? [element("p", {class: "note"}, kept)] : [];
  byId("cell-images").replaceChildren(element("h3", {}, title), ...rest, gallery);
  for (const button of byId("matrix").querySelectorAll("td button"))
    button.setAttribute("aria-pressed", button.dataset.cell === truth + "," + prediction);
}

function pick(truth, prediction) {
  showCell(truth, prediction);
  byId("cell-images").scrollIntoView({block: "nearest"});
}

/// Square root, so that a few confusions are seen beside thousands of right answers.
const strength = (matrix, truth, prediction, largest) =>
    Math.sqrt(matrix.counts[truth][prediction] / (normalised() ? matrix.sums[truth] || 1 : largest));

const cellName = (truth, prediction, images) => `${data.classes[truth]} taken for ${data.classes[prediction]}: ${images}`;

function matrixCell(matrix, truth, prediction, largest) {
  const count = matrix.counts[truth][prediction];
  const share = matrix.sums[truth] ? percent(count / matrix.sums[truth]) : "";
  const text = normalised() ? share : String(count);
  const first = truth === 0 && prediction === 0;  // one stop of the tab key; the arrow keys go on from it
  const button = element("button", {type: "button", "data-cell": truth + "," + prediction, tabindex: first ? 0 : -1,
                                    "aria-label": cellName(truth, prediction, text || count)}, text);
  const shade = 0.9 * strength(matrix, truth, prediction, largest);
  button.style.background = `rgba(var(--heat-1), ${shade.toFixed(3)})`;
  if (shade > (isDark() ? 0.6 : 0.82)) button.style.color = isDark() ? "#10151b" : "#ffffff";
  if (count === 0) button.style.color = "var(--muted)";
  button.addEventListener("click", () => pick(truth, prediction));
  return element("td", {}, button);
}

function matrixTable(matrix, largest) {
  const column = (name) => element("th", {scope: "col", title: name}, element("span", {}, name));
  const head = element("tr", {}, element("td"), ...data.classes.map(column));
  const rows = data.classes.map((name, truth) => element("tr", {}, element("th", {scope: "row", title: name}, name),
      ...data.classes.map((_, prediction) => matrixCell(matrix, truth, prediction, largest))));
  const table = element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows));
  table.addEventListener("focusin", (event) => {
    table.querySelectorAll('[tabindex="0"]').forEach((button) => button.tabIndex = -1);
    event.target.tabIndex = 0;
  });
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
  const canvas = element("canvas", {width: matrix.n, height: matrix.n, role: "img",
                                    "aria-label": "Confusion matrix; choose its cells by the lists below"});
  const context = canvas.getContext("2d");
  const colour = getComputedStyle(document.documentElement).getPropertyValue("--heat-1");
  for (const [truth, prediction] of data.confusion) {
    context.fillStyle = `rgba(${colour}, ${Math.max(0.12, strength(matrix, truth, prediction, largest))})`;
    context.fillRect(prediction, truth, 1, 1);
  }
  const cellAt = (event) => [event.offsetY, event.offsetX].map(
      (place) => Math.min(matrix.n - 1, Math.floor(place / canvas.clientWidth * matrix.n)));
  canvas.addEventListener("click", (event) => pick(...cellAt(event)));
  canvas.addEventListener("pointermove", (event) => {
    const [truth, prediction] = cellAt(event);
    canvas.title = cellName(truth, prediction, matrix.counts[truth][prediction]);
  });
  const list = (label) => element("select", {"aria-label": label},
                                  ...data.classes.map((name, i) => element("option", {value: i}, name)));
  const truth = list("Truth"), prediction = list("Prediction");
  for (const select of [truth, prediction])
    select.addEventListener("change", () => pick(Number(truth.value), Number(prediction.value)));
  const worst = data.confusion.filter(([t, p]) => t !== p).sort((a, b) => b[2] - a[2]).slice(0, 10);
  const confused = worst.map(([t, p, images]) => {
    const button = element("button", {type: "button", "data-cell": t + "," + p}, cellName(t, p, images));
    button.addEventListener("click", () => pick(t, p));
    return button;
  });
  return [canvas, element("div", {class: "pick"}, truth, " taken for ", prediction),
          element("div", {class: "pick"}, "Most often: ", ...confused)];
}

function drawMatrix() {
  if (!data.confusion || !byId("matrix")) return;
  const matrix = readMatrix();
  const largest = Math.max(1, ...data.confusion.map((cell) => cell[2]));
  byId("matrix").replaceChildren(...(matrix.n <= kMostButtons ? matrixTable : matrixPicture)(matrix, largest));
  if (pickedCell) showCell(...pickedCell);
}
