// SPDX-License-Identifier: Apache-2.0
// A model inside the page: nothing is asked of anyone, nothing leaves it.
const program = JSON.parse(byId("program").textContent);
let network = null;

function fromBase64(id) {
  const text = atob(byId(id).textContent), bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; ++i) bytes[i] = text.charCodeAt(i);
  byId(id).remove();  // some megabytes
  return bytes;
}

async function loadModels() {
  await checkPixels();
  try {
    network = await Network.load(program, fromBase64("weights"), fromBase64("gemm"));
  } catch (error) {
    throw new Error("this browser can't run the network; WebAssembly with 128-bit SIMD is needed (Chrome 91, Firefox 89, Safari 16.4 or newer): " + error.message);
  }
  return [program.about];
}

function softmax(logits, temperature = 1) {
  const largest = Math.max(...logits), powers = Array.from(logits, (x) => Math.exp((x - largest) / temperature));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((p) => p / sum);
}

// The image moved down by dy and right by dx, mirrored or not; what comes in mirrors the border.
function view(x, { height, width, channels }, dy, dx, flip) {
  const out = new Float32Array(x.length);
  const reflected = (i, n) => (i < 0 ? -i : i >= n ? 2 * n - 2 - i : i);
  for (let y = 0; y < height; ++y) {
    for (let column = 0; column < width; ++column) {
      const from = (reflected(y - dy, height) * width + reflected((flip ? width - 1 - column : column) - dx, width)) * channels;
      for (let c = 0; c < channels; ++c) out[(y * width + column) * channels + c] = x[from + c];
    }
  }
  return out;
}

// src/evaluate/views.h.
function viewLogits(x) {
  const plain = network.logits(x), { count, below } = program.views;
  if (count === 1 || (below < 1 && Math.max(...softmax(plain)) >= below)) return plain;
  const places = count === 2 ? [[0, 0, 1 / 2]] : [[0, 0, 1 / 4], [1, 1, 1 / 8], [-1, -1, 1 / 8]];
  const sum = new Float32Array(plain.length);
  for (const [dy, dx, weight] of places) {
    for (const flip of [false, true]) {
      const logits = dy === 0 && !flip ? plain : network.logits(view(x, program.input, dy, dx, flip));
      for (let c = 0; c < sum.length; ++c) sum[c] += weight * logits[c];
    }
  }
  return sum;
}

async function classify(blob, model, { name }) {
  const begin = performance.now();
  let bitmap;
  try {
    bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none" });
  } catch {
    throw new Error(blob.size === 0 ? "the file is empty" : "the browser can't read this as an image");
  }
  let pixels;
  try {
    ({ pixels } = fitImage(pixelsOf(bitmap), { ...program.input, resize: program.resize }));
  } finally {
    bitmap.close();
  }
  const { channels } = program.input;
  const x = Float32Array.from(pixels, (value, i) => (value / 255 - program.mean[i % channels]) / program.std[i % channels]);
  const probabilities = softmax(viewLogits(x), program.temperature);
  const top = probabilities.map((probability, i) => ({ class: model.classes[i], probability })).sort((a, b) => b.probability - a.probability).slice(0, 5);
  return { top, seconds: (performance.now() - begin) / 1000, name };
}

const aboutThisPage = () => ["This page works by itself: the model is inside, and no image leaves it. Made by ",
  element("code", {}, "spotter export --page"), "."];
