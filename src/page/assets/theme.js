// SPDX-License-Identifier: Apache-2.0
// Light and dark: as the system has it, until the button is pressed.
const isDark = () => {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
};
byId("theme").addEventListener("click", () => {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  drawMatrix();
});
let themeOnScreen;
addEventListener("beforeprint", () => {  // paper is light
  themeOnScreen = document.documentElement.dataset.theme;
  document.documentElement.dataset.theme = "light";
  drawMatrix();
});
addEventListener("afterprint", () => {
  if (themeOnScreen) document.documentElement.dataset.theme = themeOnScreen;
  else delete document.documentElement.dataset.theme;
  drawMatrix();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawMatrix());
