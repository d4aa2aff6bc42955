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

let shown = null, photoUrl = null;  // the image on the page: {blob, answer}
function show(image) {
  stopCamera();
  shown = image;
  if (photoUrl) URL.revokeObjectURL(photoUrl);
  photoUrl = URL.createObjectURL(image.blob);
  const photo = byId("photo");
  photo.onload = () => photo.classList.toggle("small", photo.naturalWidth < 160 && photo.naturalHeight < 160);
  photo.src = photoUrl;
  photo.alt = image.blob.name || "The image";
  photo.hidden = false;
  byId("stage").classList.add("filled");
  showResult(image.answer);
}

const showAtLeast = (id) => byId(id).scrollIntoView({ block: "nearest" });  // on a phone it may lie below

const mostProblems = 5;  // that are told one by one
const waiting = [];  // files to classify, once there are models; null: the image on the page once more

async function classifyWaiting() {
  if (busy || models.length === 0) return;
  busy = true;
  const problems = [];
  while (waiting.length > 0) {
    const next = waiting.shift(), image = next ? { blob: next } : shown, file = image.blob, model = chosenModel();
    const slow = setTimeout(() => byId("result").setAttribute("aria-busy", "true"), 300);
    try {
      const answer = await classify(file, model, { name: file.name || "", heat: byId("heat").checked });
      if (models.length > 1) answer.model = model.name;
      image.answer = answer;
      if (next) {
        show(image);
        await visit.add(image);
      } else {
        visit.update(image);
        if (shown === image && !cameraOn) showResult(answer);  // else another one was chosen meanwhile
      }
    } catch (error) {
      problems.push((file.name ? file.name + ": " : "") + error.message);
    }
    clearTimeout(slow);
    byId("result").removeAttribute("aria-busy");
  }
  busy = false;
  if (problems.length === 0) return;
  const different = [...new Set(problems)];
  const more = different.length - mostProblems;
  showError(different.slice(0, mostProblems).join("\n") + (more > 0 ? `\nand ${more} more` : ""));
  showAtLeast("error");
}

async function classifyFiles(files) {
  if (files.length === 0) return;
  stopCamera();  // its next answer would take the place of theirs
  waiting.push(...files);
  if (broken) return begin();  // once more
  await classifyWaiting();
  if (byId("error").hidden) showAtLeast("result");
}

// By another model, or with what spoke for it.
async function classifyAgain() {
  if (!shown || cameraOn) return;
  waiting.push(null);
  await classifyWaiting();
}

let cameraOn = false;
const mostFailures = 3;  // of the camera's pictures, one after the other

async function startCamera() {
  if (models.length === 0) return showError(broken);
  cameraOn = true;
  const { width, height } = chosenModel().image;
  byId("result").setAttribute("aria-live", "off");  // many answers a second
  byId("photo").hidden = true;
  byId("video").hidden = false;
  byId("camera").textContent = "Stop the camera";
  byId("stage").classList.add("filled");
  visit.mark(null);
  let last = performance.now(), rate = 0, failures = 0;
  try {
    await camera.start(Math.max(320, 2 * width, 2 * height), () => { byId("snap").hidden = false; }, async (frame) => {
      let answer;
      try {
        answer = await classify(frame, chosenModel(), { name: "", heat: false });
      } catch (error) {  // the next one may go through
        if (++failures >= mostFailures) stopCamera();
        showError(error.message);
        return;
      }
      failures = 0;
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
    const why = { NotAllowedError: "the browser was not allowed to use it", NotFoundError: "none was found" }[error.name];
    showError(navigator.mediaDevices === undefined ? "browsers give a camera only to pages of this machine or over https" : (why ? "camera: " + why : error.message));
  }
}

// What was shown before it is shown again.
function stopCamera() {
  if (!cameraOn) return;
  camera.stop();
  cameraOn = false;
  byId("video").hidden = true;
  byId("snap").hidden = true;
  byId("camera").textContent = "Camera";
  byId("result").setAttribute("aria-live", "polite");
  byId("photo").hidden = !shown;
  byId("stage").classList.toggle("filled", shown !== null);
  showResult(shown ? shown.answer : null);
  visit.mark(shown);
}

async function takePhoto() {
  byId("snap").hidden = true;  // one photo, however often it is pressed
  byId("camera").focus();
  const frame = await camera.frame(0);
  await classifyFiles([new File([frame], "camera.jpg", { type: "image/jpeg" })]);
}

// Some browsers keep nothing for a page, and throw.
const themeKey = "spotter-theme";
function keptTheme() {
  try {
    return ["light", "dark"].find((theme) => theme === localStorage.getItem(themeKey));
  } catch {
    return undefined;
  }
}

function switchTheme() {
  const { dataset } = document.documentElement;
  const dark = dataset.theme ? dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  dataset.theme = dark ? "light" : "dark";
  try {
    localStorage.setItem(themeKey, dataset.theme);
  } catch { /* then for this visit */ }
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
  byId("theme").addEventListener("click", switchTheme);
}

function showModel() {
  const model = chosenModel();
  byId("title").textContent = document.title = model.name;
  const { test, classes, image, parameters } = model;
  const facts = [`${classes.length} classes`, `${parameters.toLocaleString("en")} parameters`, `images are scaled to ${image.width}\u00a0×\u00a0${image.height}`];
  if (test) facts.unshift(`accuracy ${(100 * test.accuracy).toFixed(2)} % on ${test.images.toLocaleString("en")} ${test.split} images`);
  byId("about").textContent = facts.join(" · ");
  byId("heat-choice").hidden = !model.heat_map;
}

async function begin() {
  if (keptTheme()) document.documentElement.dataset.theme = keptTheme();
  try {
    models = await loadModels();
    broken = "";
    showError("");
  } catch (error) {
    broken = error.message;
    waiting.length = 0;
    showError(broken);
    return;
  }
  byId("model").append(...models.map((model) => element("option", {}, model.name)));
  byId("model-choice").hidden = models.length < 2;
  showModel();
  byId("footer").append(...aboutThisPage());
  classifyWaiting();
}
listen();
begin();
