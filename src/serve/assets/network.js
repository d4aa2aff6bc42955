// SPDX-License-Identifier: Apache-2.0
// The forward pass of a network, in the page itself. The steps are those of src/export/browser_program.h, and what they
// mean is said there; maps are (height, width, channels). Products are computed by gemm.wat, 128 bits at a time.
const ACTIVATIONS = {
  relu: (x) => (x > 0 ? x : 0),
  elu: (x) => (x > 0 ? x : Math.expm1(x)),
  leakyrelu: (x) => (x > 0 ? x : 0.3 * x),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  tanh: Math.tanh,
  silu: (x) => x / (1 + Math.exp(-x)),
  gelu: (x) => 0.5 * x * (1 + erf(x * Math.SQRT1_2)),
};

// Abramowitz and Stegun 7.1.26: off by at most 1.5e-7.
function erf(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const y = 1 - ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t * Math.exp(-x * x);
  return x < 0 ? -y : y;
}

// IEEE 754 halves -> fp32, by a table of all of them.
let halves = null;
function fromHalves(bytes, at, count) {
  if (!halves) {
    halves = new Float32Array(1 << 16);
    for (let h = 0; h < halves.length; ++h) {
      const exponent = (h >> 10) & 31, fraction = h & 1023;
      const size = exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024);
      halves[h] = h & 0x8000 ? -size : size;
    }
  }
  const values = new Float32Array(count), from = new Uint16Array(bytes.buffer, bytes.byteOffset + at, count);
  for (let i = 0; i < count; ++i) values[i] = halves[from[i]];
  return values;
}

const roundUp = (n, to) => Math.ceil(n / to) * to;

class Network {
  // steps and bytes: the program; gemm: the module's bytes.
  static async load({ steps, input }, bytes, gemm) {
    const network = new Network();
    const floats = (ref) => ref && new Float32Array(bytes.buffer.slice(bytes.byteOffset + ref.at, bytes.byteOffset + ref.at + 4 * ref.count));
    network.inputSize = input.height * input.width * input.channels;
    network.steps = steps.map((step) => ({ ...step, bias: floats(step.bias), scale: floats(step.scale), shift: floats(step.shift) }));
    // Memory, in values: packed kernels, then the block of patches and the block of sums.
    let used = 0, patches = 4, sums = 8;
    for (const step of network.steps) {
      if (!step.weight) continue;
      step.inputs = step.weight.count / step.outputs;
      step.columns = roundUp(step.outputs, 8);
      step.rows = step.do === "dense" ? 4 : Math.max(4, Math.min(roundUp(step.out.height * step.out.width, 4), 4 * Math.floor(16384 / step.inputs)));
      step.kernelAt = used;
      used += step.inputs * step.columns;
      patches = Math.max(patches, step.rows * step.inputs);
      sums = Math.max(sums, step.rows * step.columns);
    }
    const memory = new WebAssembly.Memory({ initial: Math.ceil((4 * (used + patches + sums)) / 65536) });
    network.values = new Float32Array(memory.buffer);
    network.patchesAt = used;
    network.sumsAt = used + patches;
    network.gemm = (await WebAssembly.instantiate(gemm, { page: { memory } })).instance.exports.gemm;
    for (const step of network.steps) if (step.weight) network.pack(step, fromHalves(bytes, step.weight.at, step.weight.count));
    return network;
  }

  // (inputs, outputs) -> panels of eight columns.
  pack({ inputs, outputs, columns, kernelAt }, kernel) {
    for (let panel = 0, at = kernelAt; panel < columns; panel += 8) {
      for (let k = 0; k < inputs; ++k) for (let n = panel; n < panel + 8; ++n) this.values[at++] = n < outputs ? kernel[k * outputs + n] : 0;
    }
  }

  // rows of patches, which lie ready -> out from `at`, with bias and activation.
  multiply(step, rows, out, at) {
    this.gemm(4 * this.patchesAt, 4 * step.kernelAt, 4 * this.sumsAt, roundUp(rows, 4), step.inputs, step.columns);
    const { outputs, columns, bias } = step, { values, sumsAt } = this;
    for (let row = 0; row < rows; ++row) {
      for (let n = 0, from = sumsAt + row * columns; n < outputs; ++n) out[at++] = values[from + n] + (bias ? bias[n] : 0);
    }
  }

  conv(step, x) {
    const { kernel: [kernelHeight, kernelWidth], stride, pad: [top, left], in: map, out: { height, width }, inputs, rows, outputs } = step;
    const out = new Float32Array(height * width * outputs), { values } = this, run = map.channels;
    for (let first = 0; first < height * width; first += rows) {
      const count = Math.min(rows, height * width - first);
      for (let i = 0, to = this.patchesAt; i < count; ++i) {
        const y0 = Math.floor((first + i) / width) * stride - top, x0 = ((first + i) % width) * stride - left;
        const before = Math.min(kernelWidth, Math.max(0, -x0)), inside = Math.max(0, Math.min(kernelWidth, map.width - x0) - before);
        for (let dy = 0; dy < kernelHeight; ++dy, to += kernelWidth * run) {
          const y = y0 + dy;
          if (y < 0 || y >= map.height || inside === 0) {
            values.fill(0, to, to + kernelWidth * run);
            continue;
          }
          if (before > 0) values.fill(0, to, to + before * run);
          const from = (y * map.width + x0 + before) * run;
          values.set(x.subarray(from, from + inside * run), to + before * run);
          if (before + inside < kernelWidth) values.fill(0, to + (before + inside) * run, to + kernelWidth * run);
        }
      }
      this.multiply(step, count, out, first * outputs);
    }
    return out;
  }

  dense(step, x) {
    this.values.set(x, this.patchesAt);
    const out = new Float32Array(step.outputs);
    this.multiply(step, 1, out, 0);
    return out;
  }

  pool({ do: kind, kernel: [kernelHeight, kernelWidth], stride, pad: [top, left], in: map, out: { height, width } }, x) {
    const { channels } = map, out = new Float32Array(height * width * channels), maximum = kind === "maxpool";
    for (let i = 0; i < height * width; ++i) {
      const y0 = Math.floor(i / width) * stride - top, x0 = (i % width) * stride - left, target = out.subarray(i * channels, (i + 1) * channels);
      if (maximum) target.fill(-Infinity);
      let count = 0;
      for (let y = Math.max(0, y0); y < Math.min(map.height, y0 + kernelHeight); ++y) {
        for (let column = Math.max(0, x0); column < Math.min(map.width, x0 + kernelWidth); ++column, ++count) {
          const from = (y * map.width + column) * channels;
          for (let c = 0; c < channels; ++c) {
            if (!maximum) target[c] += x[from + c];
            else if (x[from + c] > target[c]) target[c] = x[from + c];
          }
        }
      }
      if (!maximum) for (let c = 0; c < channels; ++c) target[c] /= count;
    }
    return out;
  }

  step(step, x, skips) {
    switch (step.do) {
      case "conv": return this.conv(step, x);
      case "dense": return this.dense(step, x);
      case "maxpool": case "avgpool": return this.pool(step, x);
      case "affine": return x.map((value, i) => value * step.scale[i % step.scale.length] + step.shift[i % step.shift.length]);
      case "activation": return x.map(ACTIVATIONS[step.name]);
      case "scale": return x.map((value) => value * step.factor);
      case "skip": skips[step.slot] = x; return x;
      case "add": return x.map((value, i) => value + skips[step.slot][i]);
    }
    throw new Error("this page does not know the step " + step.do);
  }

  // The logits of one image (height, width, channels), normalised.
  logits(x) {
    const skips = {};
    for (const step of this.steps) x = this.step(step, x, skips);
    return x;
  }
}
