// SPDX-License-Identifier: Apache-2.0
// The service behind the page.
// The token comes with the address that was printed when the service began (.../#token=...), and stays in this tab.
const fromAddress = new URLSearchParams(location.hash.slice(1)).get("token");
if (fromAddress) {
  sessionStorage.setItem("token", fromAddress);
  history.replaceState(null, "", location.pathname);
}

async function ask(path, options = {}) {
  const token = sessionStorage.getItem("token");
  if (token) options.headers = { ...options.headers, Authorization: "Bearer " + token };
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error("the service does not answer; is spotter serve still running?");
  }
  const answer = await response.json().catch(() => ({ error: `the service answered ${response.status}` }));
  if (response.status === 401) throw new Error("this service needs a token; open the address that spotter serve printed when it began");
  if (!response.ok) throw new Error(answer.error || `the service answered ${response.status}`);
  return answer;
}

const loadModels = async () => (await ask("api/models")).models;

// What the service does not read but the browser does (GIF, BMP, AVIF, in some HEIC) goes to it as a PNG.
const readByService = ["image/jpeg", "image/png", "image/webp"];
async function readable(blob) {
  if (!blob.type.startsWith("image/") || readByService.includes(blob.type)) return blob;
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none" }).catch(() => null);
  if (!bitmap) return blob;  // the service says what is wrong with it
  await checkPixels();
  const canvas = element("canvas", { width: bitmap.width, height: bitmap.height });
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
  bitmap.close();
  return await new Promise((resolve) => canvas.toBlob(resolve)) || blob;
}

async function classify(blob, model, { name, heat }) {
  const query = new URLSearchParams({ top: 5 });
  if (models.length > 1) query.set("model", model.name);
  if (heat && model && model.heat_map) query.set("heat_map", "hirescam");
  const answer = await ask("api/predict?" + query, { method: "POST", body: await readable(blob), headers: { "Content-Type": "application/octet-stream" } });
  const [first] = answer.predictions;
  return { top: first.top, heatMap: first.heat_map, seconds: answer.seconds, name };
}

const aboutThisPage = () => ["From a program: ",
  element("code", {}, `curl --data-binary @photo.jpg -H 'Content-Type: image/jpeg' ${location.origin}/api/predict`), " · ",
  element("a", { href: "api/openapi.json" }, "OpenAPI")];
