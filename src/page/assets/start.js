// SPDX-License-Identifier: Apache-2.0
// What happens when the page is there, and again when a live page got new content.
function fillContents() {
  const links = [...document.querySelectorAll("main section[id] > h2")].map(
      (title) => element("a", {href: "#" + title.parentNode.id}, title.textContent));
  byId("contents").replaceChildren(...links);
}

function start() {
  fillContents();
  document.querySelectorAll("svg[data-plot]").forEach(enliven);
  document.querySelectorAll("table.sortable").forEach(makeSortable);
  makeToggle("normalise", drawMatrix);
  makeToggle("heat", drawExamples);
  for (const cell of document.querySelectorAll(".wide th, .wide td")) cell.title = cell.textContent;  // it may be cut
  if (data.sheet) defineSheets();
  drawMatrix();
  drawExamples();
}

data = JSON.parse(byId("data").textContent);
start();
if (document.body.classList.contains("live")) follow();
