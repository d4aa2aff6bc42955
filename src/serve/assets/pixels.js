// SPDX-License-Identifier: Apache-2.0
// The pixels of images, as they stand in their files.
// The pixels of a bitmap, RGBA; strip by strip, since browsers of phones give no pixels of a large canvas.
function pixelsOf(bitmap) {
  const { width, height } = bitmap, most = 50e6, strip = 4e6;
  if (width * height > most) throw new Error(`too large: ${width} × ${height} pixels; at most 50 million are read`);
  const rows = Math.max(1, Math.floor(strip / width)), data = new Uint8ClampedArray(4 * width * height);
  const context = element("canvas", { width, height: Math.min(rows, height) }).getContext("2d", { willReadFrequently: true });
  for (let y = 0; y < height; y += rows) {
    const some = Math.min(rows, height - y);
    context.clearRect(0, 0, width, some);
    context.drawImage(bitmap, 0, -y);
    data.set(context.getImageData(0, 0, width, some).data, 4 * width * y);
  }
  return { width, height, data };
}

// Some browsers give pages false pixels, against fingerprinting; answers to them would be false too.
async function checkPixels() {
  const colours = new Uint8ClampedArray(4 * 64).map((_, i) => (i % 4 === 3 ? 255 : (i * 37) % 256));
  const { data } = pixelsOf(await createImageBitmap(new ImageData(colours, 8, 8), { colorSpaceConversion: "none" }));
  if (data.some((value, i) => value !== colours[i]))
    throw new Error("this browser does not let pages read pictures (a protection against fingerprinting); allow it for this page, or take another browser");
}
