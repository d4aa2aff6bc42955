// SPDX-License-Identifier: Apache-2.0
// An answer on the page: {top: [{class, probability}], heatMap?, seconds, name, model?}; null: none.
const percent = (fraction) => {
  const number = 100 * fraction;
  return (number > 0 && number < 0.1 ? "<0.1" : number.toFixed(1)) + " %";
};

const noResult = [...byId("result").children];  // as the page begins

function showResult(answer, note) {
  showError("");
  if (answer === null) return byId("result").replaceChildren(...noResult);
  const best = answer.top[0];
  const bars = element("ul", { class: "bars" });
  for (const { class: name, probability } of answer.top) {
    const bar = element("i");
    bar.style.width = 100 * probability + "%";
    bars.append(element("li", {}, bar, element("span", {}, name), element("span", {}, percent(probability))));
  }
  const milliseconds = 1000 * answer.seconds;
  const parts = [element("p", { class: "answer" }, best.class + " ", element("small", {}, percent(best.probability))), bars,
    element("p", { class: "quiet" }, note || `${answer.model ? answer.model + ", " : ""}computed in ${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`)];
  if (answer.heatMap) {
    const picture = element("img", { src: answer.heatMap, alt: `A heat map: what spoke for ${best.class} is bright` });
    parts.push(element("figure", {}, picture, element("figcaption", {}, `What the network saw; what spoke for ${best.class} is bright.`)));
  }
  byId("result").replaceChildren(...parts);
}

function showError(text) {
  if (byId("error").textContent === text && byId("error").hidden === !text) return;  // it would be read aloud once more
  byId("error").textContent = text;
  byId("error").hidden = !text;
}
