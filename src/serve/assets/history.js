// SPDX-License-Identifier: Apache-2.0
// The images of this visit, the newest first. They stay in this page and are gone with it.
const visit = {
  most: 60,
  side: 112,  // of a thumbnail

  async add(blob, answer) {
    const canvas = element("canvas", { width: this.side, height: this.side });
    const picture = await createImageBitmap(blob);
    const scale = Math.max(this.side / picture.width, this.side / picture.height);
    const [width, height] = [picture.width * scale, picture.height * scale];
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = scale < 1;
    context.drawImage(picture, (this.side - width) / 2, (this.side - height) / 2, width, height);
    picture.close();
    const button = element("button", { type: "button" }, canvas, element("span", {}, answer.top[0].class),
      element("span", { class: "quiet" }, percent(answer.top[0].probability)));
    if (answer.model) button.append(element("span", { class: "quiet" }, answer.model));
    if (answer.name) button.append(element("span", { class: "quiet", title: answer.name }, answer.name));
    button.addEventListener("click", () => {
      showPhoto(blob);
      showResult(answer);
      this.mark(button);
    });
    const list = byId("history");
    list.prepend(element("li", {}, button));
    while (list.children.length > this.most) list.lastChild.remove();
    byId("visit").hidden = false;
    this.mark(button);
  },

  mark(button) {
    for (const other of byId("history").querySelectorAll("button")) other.setAttribute("aria-pressed", other === button);
  },
};
