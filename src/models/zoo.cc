// SPDX-License-Identifier: Apache-2.0
#include "models/zoo.h"

#include "base/error.h"
#include "base/text.h"

namespace spotter {

namespace {

constexpr const char* kNorm = "batchnorm noscale momentum 0.6 epsilon 1e-12";

/// The convolution groups of Keller Jordan's airbench networks, as text.
std::string Group(int64_t filters) {
  return fmt::format("conv {0} same nobias dirac, maxpool 2, {1}, gelu, conv {0} same nobias dirac, {1}, gelu, ",
                     filters, kNorm);
}
std::string ResidualGroup(int64_t filters) {
  return fmt::format(
      "conv {0} same nobias dirac, maxpool 2, {1}, gelu, skip, "
      "conv {0} same nobias dirac, {1}, gelu, conv {0} same nobias dirac, {1}, add, gelu, ",
      filters, "batchnorm noscale momentum 0.9 epsilon 1e-12");
}

}  // namespace

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
      {"speed", "airbench94's network: a whitening convolution and three groups of two, 64-256-256",
       "conv whitening 2 gelu, " + Group(64) + Group(256) + Group(256) +
           "maxpool 3, flatten, dense classes nobias unit, scale 1/256"},
      {"speed-95", "airbench95's network: the same, 128-384-384",
       "conv whitening 2 gelu, " + Group(128) + Group(384) + Group(384) +
           "maxpool 3, flatten, dense classes nobias uniform, scale 1/9"},
      {"speed-96", "airbench96's network: groups of three convolutions with a residual connection, 128-384-512",
       "conv whitening 2 gelu, " + ResidualGroup(128) + ResidualGroup(384) + ResidualGroup(512) +
           "maxpool 3, flatten, dense classes nobias uniform, scale 1/9"},
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
