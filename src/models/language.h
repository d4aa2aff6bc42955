// SPDX-License-Identifier: Apache-2.0
// The layer language: a network as a line of text.
//
//   layers = layer { "," layer }        layer = word { argument }        arguments after the word in any order
//   conv FILTERS [KERNEL | HxW] [valid | same] [stride N] [nobias] [dirac] [ACTIVATION]
//                                                                          KERNEL 3, valid, stride 1 unless given
//   conv whitening ...   or   conv FILTERS ... whitening                   the first layer; FILTERS = 2 * its patch
//   maxpool N [stride N] [valid | same]      avgpool likewise              stride = N unless given
//   globalavgpool    globalmaxpool    dropout RATE    flatten
//   batchnorm [noscale] [momentum M] [epsilon E]                           M 0.99, the share kept; E 1e-3
//   dense UNITS | classes [nobias] [unit | uniform] [ACTIVATION]           classes: as many as the data set has
//   scale FACTOR                                                           a number, or a fraction such as 1/256
//   skip ... add                                                           a residual connection; they nest
//   relu gelu silu elu leakyrelu sigmoid tanh                              an activation by itself
//
// The last layer gives the logits: `dense classes` without an activation; softmax is part of the loss and of predict.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "models/layer.h"

namespace spotter {

/// A word of the language, for help and documentation.
struct LayerWord {
  std::string word;
  std::string usage;
  std::string meaning;
};
const std::vector<LayerWord>& LayerWords();

/// Builds the layers that the text describes for images of this shape. Parameters have their shapes but no values yet.
/// Throws Error(kUsage) that quotes the layer, names the word that is wrong, and says what was expected.
std::vector<std::unique_ptr<Layer>> BuildLayers(std::string_view text, const FeatureShape& input, int64_t classes);

}  // namespace spotter
