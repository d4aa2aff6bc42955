// SPDX-License-Identifier: Apache-2.0
// A network as a list of steps for the page that classifies by itself (src/serve/assets/network.js), and the same steps
// computed here, to see how far the page is off.
//
// Maps are (height, width, channels) in C order, so that a flatten is no step. A step is a JSON object:
//   {"do": "conv", "kernel": [h, w], "stride", "pad": [top, left], "in": MAP, "out": MAP, "outputs", "weight": REF,
//   "bias"?: REF}
//   {"do": "dense", "outputs", "weight": REF, "bias"?: REF}
//   {"do": "maxpool" or "avgpool", "kernel", "stride", "pad", "in", "out"}   padding is left out of account
//   {"do": "affine", "scale": REF, "shift": REF}                             x * scale[channel] + shift[channel]
//   {"do": "activation", "name"}  {"do": "scale", "factor"}
//   {"do": "skip", "slot"}  {"do": "add", "slot"}                            adds what the skip of the slot saw
// MAP is {"height", "width", "channels"}; REF is {"at", "count"}: a byte in the weights, a multiple of 4, and how many
// values begin there. A weight is (inputs, outputs) of halves (IEEE 754 binary16), inputs in the order (kernel row,
// kernel column, channel); the others are fp32. All little-endian.
#pragma once

#include <string>

#include "base/json.h"
#include "model_file/model_file.h"

namespace spotter {

struct BrowserProgram {
  Json description;     // {"steps", "input": MAP, "resize", "mean", "std", "views": {"count", "below"}, "temperature"}
  std::string weights;  // the bytes
};

/// Throws Error(kModel) when a weight is too large for a half.
BrowserProgram ToBrowserProgram(const Model& model);

/// The logits (images, classes) of normalised images (images, height, width, channels) fp32, by the steps alone: the
/// plain reference of network.js. Throws Error(kModel) for steps that it does not know.
at::Tensor RunBrowserProgram(const BrowserProgram& program, const at::Tensor& images);

/// Reads a program back from a page that holds it: the JSON of the script element "program", and the base64 of
/// "weights". Throws Error(kModel, kIo).
BrowserProgram ReadBrowserProgram(const std::filesystem::path& page);

}  // namespace spotter
