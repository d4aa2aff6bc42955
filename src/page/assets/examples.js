// SPDX-License-Identifier: Apache-2.0
// The evaluated images: what they are, what they were taken for.
const shown = () => Math.max(1, Math.floor(96 / data.sheet.width));  // whole multiples keep the pixels even

function tile(example) {
  const {width, height, columns} = data.sheet;
  const heat = byId("heat")?.getAttribute("aria-pressed") === "true" && example.heat >= 0;
  const number = heat ? example.heat : example.tile;
  const scale = shown();
  const answer = example.truth === example.prediction ? "answered right" : "taken for " + data.classes[example.prediction];
  const span = element("span", {class: "tile " + (heat ? "heat-sheet" : "image-sheet"), role: "img",
                                "aria-label": data.classes[example.truth] + ", " + answer});
  span.style.width = width * scale + "px";
  span.style.height = height * scale + "px";
  const left = number % columns * width * scale, top = Math.floor(number / columns) * height * scale;
  span.style.backgroundPosition = `${-left}px ${-top}px`;
  return span;
}

function figure(example) {
  const right = example.truth === example.prediction;
  const caption = element("figcaption", {},
      element("span", {class: right ? "right" : "wrong"}, (right ? "✓ " : "✗ ") + data.classes[example.truth]),
      ...example.top.map(([label, probability]) => {
        const bar = element("span", {class: "bar"}, element("i"), element("span", {}, data.classes[label]),
                            element("span", {}, percent(probability)));
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
const bySureness = (a, b) => b.top[0][1] - a.top[0][1];
const ofCell = (truth, prediction) =>
    data.examples.filter((example) => example.truth === truth && example.prediction === prediction).sort(bySureness);
const countOf = (truth, prediction) =>
    data.confusion.find((cell) => cell[0] === truth && cell[1] === prediction)?.[2] || 0;

function drawClassGallery(picked) {
  const most = 24;
  const right = ofCell(picked, picked).slice(0, most);
  const wrong = data.examples.filter((e) => e.truth === picked && e.prediction !== picked)
                    .sort(bySureness).slice(0, most);
  const choice = element("select", {"aria-label": "Class"},
                         ...data.classes.map((name, i) => element("option", {value: i}, name)));
  choice.value = picked;
  choice.addEventListener("change", () => {
    drawClassGallery(Number(choice.value));
    byId("by-class").querySelector("select").focus();
  });
  const title = right.length ? "Right" : countOf(picked, picked) ? "Of those answered right this page keeps none"
                                                                 : "None of its images is answered right";
  byId("by-class")?.replaceChildren(
      element("h4", {}, choice),
      element("h4", {}, title), ...right.map(figure),
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
