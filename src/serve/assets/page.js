// SPDX-License-Identifier: Apache-2.0
// Images in by every door, and their classes out. What classifies them is one of service.js (asks `spotter serve`) and
// standalone.js (computes them here); each has
//   loadModels()                           what GET /api/models lists
//   classify(blob, model, {name, heat})    {top, heatMap, seconds, name}
//   aboutThisPage()                        nodes for the foot of the page
let models = [];
let busy = false;
let broken = "";  // why nothing can be classified

const chosenModel = () => models.find((model) => model.name === byId("model").value) || models[0];

let photoShown = null, photoUrl = null;
function showPhoto(blob) {
  stopCamera();
  photoShown = blob;
  if (photoUrl) URL.revokeObjectURL(photoUrl);
  photoUrl = URL.createObjectURL(blob);
  const photo = byId("photo");
  photo.onload = () => photo.classList.toggle("small", photo.naturalWidth < 160 && photo.naturalHeight < 160);
  photo.src = photoUrl;
  photo.hidden = false;
  byId("stage").classList.add("filled");
}

const waiting = [];  // files to classify, once there are models; null: the image on the page once more

async function classifyWaiting() {
  if (busy || models.length === 0) return;
  busy = true;
  const problems = [];
  while (waiting.length > 0) {
    const next = waiting.shift(), file = next || photoShown, model = chosenModel();
    try {
      const answer = await classify(file, model, { name: file.name || "", heat: byId("heat").checked });
      if (models.length > 1) answer.model = model.name;
      if (next) showPhoto(file);
      showResult(answer);
      if (next) await visit.add(file, answer);
    } catch (error) {
      problems.push((file.name ? file.name + ": " : "") + error.message);
    }
  }
  busy = false;
  if (problems.length > 0) showError(problems.join(" · "));
}

async function classifyFiles(files) {
  if (broken) return showError(broken);
  waiting.push(...files);
  await classifyWaiting();
}

// By another model, or with what spoke for it.
async function classifyAgain() {
  if (!photoShown || byId("photo").hidden) return;
  waiting.push(null);
  await classifyWaiting();
}

let cameraOn = false;

async function startCamera() {
  if (models.length === 0) return showError(broken);
  cameraOn = true;
  const { width, height } = chosenModel().image;
  byId("result").setAttribute("aria-live", "off");  // many answers a second
  byId("photo").hidden = true;
  byId("video").hidden = false;
  byId("camera").textContent = "Stop the camera";
  byId("stage").classList.add("filled");
  let last = performance.now(), rate = 0;
  try {
    await camera.start(Math.max(320, 2 * width, 2 * height), () => { byId("snap").hidden = false; }, async (frame) => {
      let answer;
      try {
        answer = await classify(frame, chosenModel(), { name: "", heat: false });
      } catch (error) {  // the next frame may go through
        showError(error.message);
        return;
      }
      const now = performance.now();
      rate = rate ? 0.8 * rate + 200 / (now - last) : 1000 / (now - last);
      last = now;
      if (camera.stream) showResult(answer, `live, ${rate.toFixed(0)} frames a second`);
    });
    if (camera.lost) {
      stopCamera();
      showError("the camera has gone");
    }
  } catch (error) {
    stopCamera();
    const why = { NotAllowedError: "the browser was not allowed to use it", NotFoundError: "there is none" }[error.name];
    showError(navigator.mediaDevices === undefined ? "browsers give a camera only to pages of this machine or over https" : (why ? "camera: " + why : error.message));
  }
}

function stopCamera() {
  camera.stop();
  cameraOn = false;
  byId("video").hidden = true;
  byId("snap").hidden = true;
  byId("camera").textContent = "Camera";
  byId("result").setAttribute("aria-live", "polite");
  if (byId("photo").hidden) byId("stage").classList.remove("filled");
}

async function takePhoto() {
  const frame = await camera.frame(0);
  stopCamera();
  await classifyFiles([new File([frame], "camera.jpg", { type: "image/jpeg" })]);
}

const filesOf = (transfer) => [...(transfer ? transfer.files : [])];

function listen() {
  const stage = byId("stage"), chooser = byId("file");
  for (const id of ["drop", "choose"]) byId(id).addEventListener("click", () => chooser.click());
  chooser.addEventListener("change", async () => {
    await classifyFiles([...chooser.files]);
    chooser.value = "";  // so that the same file can be chosen again
  });
  addEventListener("dragover", (event) => { event.preventDefault(); stage.classList.add("over"); });
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) stage.classList.remove("over"); });
  addEventListener("drop", (event) => {
    event.preventDefault();
    stage.classList.remove("over");
    const files = filesOf(event.dataTransfer);
    if (files.length === 0) showError("that was no file; drop an image file, or copy the image and paste it here");
    classifyFiles(files);
  });
  addEventListener("paste", (event) => {
    const files = filesOf(event.clipboardData);
    if (files.length === 0) showError("the clipboard holds no image");
    classifyFiles(files);
  });
  byId("camera").addEventListener("click", () => (cameraOn ? stopCamera() : startCamera()));
  byId("snap").addEventListener("click", takePhoto);
  addEventListener("keydown", (event) => { if (event.key === "Escape") stopCamera(); });
  document.addEventListener("visibilitychange", () => { if (document.hidden && cameraOn) stopCamera(); });  // nobody looks
  byId("model").addEventListener("change", () => { showModel(); classifyAgain(); });
  byId("heat").addEventListener("change", classifyAgain);
  byId("theme").addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
}

function showModel() {
  const model = chosenModel();
  byId("title").textContent = document.title = model.name;
  const { test, classes, image, parameters } = model;
  const facts = [`${classes.length} classes`, `${parameters.toLocaleString("en")} parameters`, `${image.width} × ${image.height} pixels`];
  if (test) facts.unshift(`accuracy ${(100 * test.accuracy).toFixed(2)} % on ${test.images.toLocaleString("en")} ${test.split} images`);
  byId("about").textContent = facts.join(" · ");
  byId("heat-choice").hidden = !model.heat_map;
}

async function begin() {
  listen();
  try {
    models = await loadModels();
  } catch (error) {
    broken = error.message;
    showError(broken);
    return;
  }
  byId("model").append(...models.map((model) => element("option", {}, model.name)));
  byId("model-choice").hidden = models.length < 2;
  showModel();
  byId("footer").append(...aboutThisPage());
  classifyWaiting();
}
begin();
