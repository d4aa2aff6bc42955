// SPDX-License-Identifier: Apache-2.0
// The scripts of the page are put together, in the order of CMakeLists.txt, inside one function. The page stands without
// them but for the confusion matrix and the examples. Names go in as text nodes only.
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

// A button that is pressed or not.
function makeToggle(id, action) {
  const button = byId(id);
  if (!button) return;
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", () => {
    const pressed = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", pressed);
    action();
  });
}
