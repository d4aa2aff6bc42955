// SPDX-License-Identifier: Apache-2.0
#include "models/zoo.h"

#include "base/error.h"
#include "base/text.h"

namespace spotter {

const std::vector<ZooEntry>& Zoo() {
  static const std::vector<ZooEntry> list = {
      {"cnn", "three blocks of two convolutions with batch norm and dropout; a good start for small images",
       "conv 32 same relu, batchnorm, conv 32 same relu, batchnorm, maxpool 2, dropout 0.2, "
       "conv 64 same relu, batchnorm, conv 64 same relu, batchnorm, maxpool 2, dropout 0.3, "
       "conv 128 same relu, batchnorm, conv 128 same relu, batchnorm, maxpool 2, dropout 0.4, "
       "flatten, dense 128 relu, batchnorm, dropout 0.5, dense classes"},
      {"seed-000", "the classic convolution, pooling, dropout CNN of the Keras examples",
       "conv 32 same relu, conv 32 valid relu, maxpool 2, dropout 0.25, "
       "conv 64 same relu, conv 64 valid relu, maxpool 2, dropout 0.25, "
       "flatten, dense 512 relu, dropout 0.5, dense classes"},
      {"seed-001", "three valid convolutions, 32-64-128, and a dense layer of 128",
       "conv 32 valid relu, maxpool 2, conv 64 valid relu, conv 128 valid relu, maxpool 2, flatten, dense 128 relu, "
       "dropout 0.25, dense classes"},
      {"seed-003", "three same convolutions, 64-128-256, each with batch norm and pooling; dense 256 and 128",
       "conv 64 same relu, batchnorm, maxpool 2, conv 128 same relu, batchnorm, maxpool 2, "
       "conv 256 same relu, batchnorm, maxpool 2, "
       "flatten, dense 256 relu, dropout 0.5, dense 128 relu, dropout 0.5, dense classes"},
      {"seed-004", "one convolution and a dense layer of 512",
       "conv 32 valid relu, maxpool 2, batchnorm, dropout 0.2, flatten, dense 512 relu, dropout 0.5, dense classes"},
  };
  return list;
}

std::string ResolveModel(const std::string& name_or_layers) {
  std::vector<std::string> names;
  for (const ZooEntry& entry : Zoo()) {
    if (entry.name == name_or_layers) return entry.layers;
    names.push_back(entry.name);
  }
  if (name_or_layers.find_first_of(" ,") != std::string::npos) return name_or_layers;
  Fail(ExitCode::kUsage,
       "no model is called '{}'{}; the models are {}, or give a layer list such as \"conv 32 relu, maxpool 2, flatten, "
       "dense classes\"",
       name_or_layers, DidYouMean(name_or_layers, names), Join(names, ", "));
}

}  // namespace spotter
