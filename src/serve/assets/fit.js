// SPDX-License-Identifier: Apache-2.0
// A picture as the network takes it: the arithmetic of src/data/resize.cc, number for number.
const WEIGHT_BITS = 22;

// For each output pixel: the first input pixel that it draws from, and the weights of that and the following ones.
function resizeWeights(inSize, begin, end, outSize) {
  const scale = (end - begin) / outSize, support = Math.max(scale, 1);
  return Array.from({ length: outSize }, (_, i) => {
    const centre = begin + (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5)), last = Math.min(inSize, Math.trunc(centre + support + 0.5));
    const exact = [];
    for (let x = first; x < last; ++x) exact.push(Math.max(0, 1 - Math.abs((x - centre + 0.5) / support)));
    const sum = exact.reduce((a, b) => a + b, 0);
    return { first, values: exact.map((w) => Math.trunc(0.5 + (sum > 0 ? w / sum : 0) * (1 << WEIGHT_BITS))) };
  });
}

const toByte = (sum) => Math.min(255, Math.max(0, sum >> WEIGHT_BITS));

function resizeRows({ height, width, channels, pixels }, begin, end, outWidth) {
  const weights = resizeWeights(width, begin, end, outWidth);
  const out = new Uint8Array(height * outWidth * channels);
  let at = 0;
  for (let y = 0; y < height; ++y) {
    for (const { first, values } of weights) {
      for (let c = 0; c < channels; ++c) {
        let sum = 1 << (WEIGHT_BITS - 1), from = (y * width + first) * channels + c;
        for (let i = 0; i < values.length; ++i, from += channels) sum += values[i] * pixels[from];
        out[at++] = toByte(sum);
      }
    }
  }
  return { height, width: outWidth, channels, pixels: out };
}

function resizeColumns({ height, width, channels, pixels }, begin, end, outHeight) {
  const row = width * channels;
  const out = new Uint8Array(outHeight * row);
  resizeWeights(height, begin, end, outHeight).forEach(({ first, values }, y) => {
    const sums = new Int32Array(row).fill(1 << (WEIGHT_BITS - 1));
    values.forEach((weight, i) => {
      const from = (first + i) * row;
      for (let x = 0; x < row; ++x) sums[x] += weight * pixels[from + x];
    });
    for (let x = 0; x < row; ++x) out[y * row + x] = toByte(sums[x]);
  });
  return { height: outHeight, width, channels, pixels: out };
}

function resample(picture, rows, columns, height, width) {
  if (columns[0] !== 0 || columns[1] !== picture.width || width !== picture.width) picture = resizeRows(picture, ...columns, width);
  if (rows[0] !== 0 || rows[1] !== picture.height || height !== picture.height) picture = resizeColumns(picture, ...rows, height);
  return picture;
}

const stretch = (picture, height, width) => resample(picture, [0, picture.height], [0, picture.width], height, width);

function crop(picture, height, width) {
  const scale = Math.min(picture.height / height, picture.width / width);
  const centred = (inSize, outSize) => {
    const margin = (inSize - outSize * scale) / 2;
    return [Math.max(0, margin), Math.min(inSize, inSize - margin)];
  };
  return resample(picture, centred(picture.height, height), centred(picture.width, width), height, width);
}

function pad(picture, height, width) {
  const scale = Math.min(height / picture.height, width / picture.width);
  const scaled = (size, most) => Math.min(most, Math.max(1, Math.round(size * scale)));
  const inner = stretch(picture, scaled(picture.height, height), scaled(picture.width, width));
  const { channels } = inner, pixels = new Uint8Array(height * width * channels);
  const top = Math.floor((height - inner.height) / 2), left = Math.floor((width - inner.width) / 2), row = inner.width * channels;
  for (let y = 0; y < inner.height; ++y) pixels.set(inner.pixels.subarray(y * row, (y + 1) * row), ((top + y) * width + left) * channels);
  return { height, width, channels, pixels };
}

const overWhite = (value, alpha) => (alpha === 255 ? value : Math.trunc((value * alpha + 255 * (255 - alpha) + 127) / 255));

// RGBA bytes of a canvas -> what the network takes; transparency is laid over white.
function fitImage({ width, height, data }, image) {
  const { channels } = image, pixels = new Uint8Array(width * height * channels);
  for (let from = 0, to = 0; from < data.length; from += 4, to += channels) {
    const alpha = data[from + 3];
    const red = overWhite(data[from], alpha), green = overWhite(data[from + 1], alpha), blue = overWhite(data[from + 2], alpha);
    if (channels === 1) {
      pixels[to] = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >>> 16;
    } else {
      pixels[to] = red;
      pixels[to + 1] = green;
      pixels[to + 2] = blue;
    }
  }
  const picture = { height, width, channels, pixels };
  if (height === image.height && width === image.width) return picture;
  return { stretch, crop, pad }[image.resize](picture, image.height, image.width);
}
