// SPDX-License-Identifier: Apache-2.0
// The images of this visit, the newest first. They stay in this page and are gone with it.
const visit = {
  most: 60,
  side: 112,   // of a thumbnail
  images: [],  // {blob, answer, button}

  async add(image) {
    const canvas = element("canvas", { width: this.side, height: this.side });
    const picture = await createImageBitmap(image.blob);
    const scale = Math.max(this.side / picture.width, this.side / picture.height);
    const [width, height] = [picture.width * scale, picture.height * scale];
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = scale < 1;
    context.drawImage(picture, (this.side - width) / 2, (this.side - height) / 2, width, height);
    picture.close();
    image.button = element("button", { type: "button" }, canvas);
    image.button.addEventListener("click", () => this.choose(image));
    this.update(image);
    byId("history").prepend(element("li", {}, image.button));
    this.images.unshift(image);
    for (const { button } of this.images.splice(this.most)) button.parentNode.remove();
    byId("visit").hidden = false;
    this.mark(shown);
  },

  // The answer has come, or another one: by another model, or with a heat map.
  update({ button, answer }) {
    const lines = [element("span", {}, answer.top[0].class), element("span", { class: "quiet" }, percent(answer.top[0].probability))];
    if (answer.model) lines.push(element("span", { class: "quiet" }, answer.model));
    if (answer.name) lines.push(element("span", { class: "quiet", title: answer.name }, answer.name));
    button.replaceChildren(button.firstChild, ...lines);
  },

  // Computed anew where the model or the heat map that are chosen now are others than those of its answer.
  choose(image) {
    const { answer } = image, model = chosenModel();
    show(image);
    this.mark(image);
    showAtLeast("result");
    showAtLeast("stage");
    const other = answer.model !== undefined && answer.model !== model.name;
    if (other || (model.heat_map && byId("heat").checked !== Boolean(answer.heatMap))) classifyAgain();
  },

  mark(chosen) {
    for (const image of this.images) image.button.setAttribute("aria-pressed", image === chosen);
  },
};
