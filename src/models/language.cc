// SPDX-License-Identifier: Apache-2.0
#include "models/language.h"

#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "models/layers.h"
#include "models/words.h"

namespace spotter {
namespace {

std::vector<std::string> ActivationNames() {
  std::vector<std::string> names;
  for (const Activation& activation : Activations()) names.push_back(activation.name);
  return names;
}

std::vector<std::string> With(std::vector<std::string> words, const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

const Activation* TakeActivation(Words& words) {
  const Activation* found = nullptr;
  words.Take([&](const std::string& w) {
    found = FindActivation(w == "swish" ? "silu" : w);
    return found != nullptr ? std::optional<bool>(true) : std::nullopt;
  });
  return found;
}

Padding TakePadding(Words& words) {
  if (words.TakeWord("same")) return Padding::kSame;
  words.TakeWord("valid");
  return Padding::kValid;
}

/// "3" or "5x3" (height x width).
void TakeKernel(Words& words, Window& window) {
  words.Take([&](const std::string& w) -> std::optional<bool> {
    const auto sides = Split(w, 'x');
    const auto height = ParseInteger(sides.front());
    const auto width = ParseInteger(sides.back());
    if (sides.size() > 2 || !height || !width || w.empty()) return std::nullopt;
    window.kernel_height = Words::Count(std::string(sides.front()), "a kernel's side", 64);
    window.kernel_width = Words::Count(std::string(sides.back()), "a kernel's side", 64);
    return true;
  });
}

/// Where in the network a layer stands: what comes in, and what was opened before it.
struct Site {
  FeatureShape input;
  int64_t classes = 0;
  bool first = true;
  std::vector<std::shared_ptr<SkipSlot>> skips;  // that no 'add' has taken yet; the last one is the next to be taken
};

std::unique_ptr<Layer> ReadConv(Words& words, const Site& site) {
  const std::string count = words.Need("the number of filters, as in 'conv 32'");
  KernelOptions options;
  options.whitening = count == "whitening" || words.TakeWord("whitening");
  if (!options.whitening && words.TakeWord("dirac")) options.initial = Initial::kDirac;
  options.bias = !words.TakeWord("nobias");
  Window window;
  window.stride = words.TakeAfter("stride", 64).value_or(1);
  window.padding = TakePadding(words);
  const Activation* activation = TakeActivation(words);
  TakeKernel(words, window);
  std::vector<std::string> allowed = {"a kernel such as 3 or 5x3", "valid", "same", "stride N", "nobias", "whitening"};
  if (!options.whitening) allowed.emplace_back("dirac");
  words.Finish(With(allowed, ActivationNames()));
  if (options.whitening && !site.first) {
    Fail(ExitCode::kUsage, "a whitening convolution is computed from the images: it can only be the first layer");
  }
  const int64_t filters =
      count == "whitening" ? WhiteningFilters(site.input, window) : Words::Count(count, "a number of filters");
  return MakeConv(site.input, filters, window, activation, options);
}

std::unique_ptr<Layer> ReadBatchNorm(Words& words, const FeatureShape& input) {
  BatchNormOptions options;
  options.scale = !words.TakeWord("noscale");
  options.momentum = words.TakeNumberAfter("momentum", 0, 1).value_or(options.momentum);
  options.epsilon = words.TakeNumberAfter("epsilon", 1e-16, 1).value_or(options.epsilon);
  words.Finish({"noscale", "momentum M", "epsilon E"});
  return MakeBatchNorm(input, options);
}

/// "0.5" or "1/256".
double ReadFactor(Words& words) {
  const std::string word = words.Need("the factor, as in 'scale 0.5' or 'scale 1/256'");
  const auto parts = Split(word, '/');
  const auto above = ParseNumber(parts.front()), below = parts.size() == 2 ? ParseNumber(parts.back()) : 1.0;
  if (parts.size() > 2 || !above || !below || *below == 0 || !std::isfinite(*above / *below)) {
    Fail(ExitCode::kUsage, "'{}' is not a factor: expected a number such as 0.5, or a fraction such as 1/256", word);
  }
  words.Finish({});
  return *above / *below;
}

std::unique_ptr<Layer> ReadSkip(Words& words, Site& site) {
  words.Finish({});
  site.skips.push_back(std::make_shared<SkipSlot>());
  return MakeSkip(site.input, site.skips.back());
}

std::unique_ptr<Layer> ReadAdd(Words& words, Site& site) {
  words.Finish({});
  if (site.skips.empty()) Fail(ExitCode::kUsage, "there is no 'skip' before it whose map it could add");
  auto layer = MakeAdd(site.input, site.skips.back());
  site.skips.pop_back();
  return layer;
}

Window ReadPoolWindow(Words& words) {
  Window window;
  window.kernel_height = window.kernel_width =
      Words::Count(words.Need("the pool's size, as in 'maxpool 2'"), "a pool's size", 64);
  window.stride = words.TakeAfter("stride", 64).value_or(window.kernel_height);
  window.padding = TakePadding(words);
  words.Finish({"valid", "same", "stride N"});
  return window;
}

double ReadRate(Words& words) {
  const std::string word = words.Need("the rate, as in 'dropout 0.5'");
  const std::optional<double> rate = ParseNumber(word);
  if (!rate || *rate < 0 || *rate >= 1) {
    Fail(ExitCode::kUsage, "'{}' is not a dropout rate: expected a number from 0 up to, but not including, 1", word);
  }
  words.Finish({});
  return *rate;
}

std::unique_ptr<Layer> ReadDense(Words& words, const Site& site) {
  const std::string units = words.Need("the number of units, as in 'dense 128' or 'dense classes'");
  const int64_t count =
      units == "classes" ? site.classes : Words::Count(units, "a number of units ('classes' for one a class)");
  KernelOptions options;
  options.bias = !words.TakeWord("nobias");
  options.initial = words.TakeWord("unit")      ? Initial::kUnit
                    : words.TakeWord("uniform") ? Initial::kUniform
                                                : Initial::kGlorot;
  const Activation* activation = TakeActivation(words);
  words.Finish(With({"nobias", "unit or uniform"}, ActivationNames()));
  return MakeDense(site.input, count, activation, options);
}

/// A word, how to read the rest of its layer, and its help: the one list of the language.
struct Entry {
  LayerWord help;
  std::unique_ptr<Layer> (*read)(Words& words, Site& site);
};

const std::vector<Entry>& Entries() {
  using L = std::unique_ptr<Layer>;
  static const std::vector<Entry> list = {
      {{"conv", "conv FILTERS|whitening [KERNEL] [valid|same] [stride N] [nobias] [dirac] [ACTIVATION]",
        "convolution with bias; kernel 3 (5 is 5 x 5, 5x3 is 5 high), valid, stride 1 unless given; dirac: the first "
        "filters start as the "
        "identity; whitening: the first layer, computed from the training images, with twice as many filters as a "
        "patch has values"},
       [](Words& w, Site& s) -> L { return ReadConv(w, s); }},
      {{"maxpool", "maxpool N [stride N] [valid|same]", "maximum of N x N windows; stride N unless given"},
       [](Words& w, Site& s) -> L { return MakeMaxPool(s.input, ReadPoolWindow(w)); }},
      {{"avgpool", "avgpool N [stride N] [valid|same]", "mean of N x N windows; stride N unless given"},
       [](Words& w, Site& s) -> L { return MakeAvgPool(s.input, ReadPoolWindow(w)); }},
      {{"globalavgpool", "globalavgpool", "mean of each channel's map"},
       [](Words& w, Site& s) -> L { return w.Finish({}), MakeGlobalAvgPool(s.input); }},
      {{"globalmaxpool", "globalmaxpool", "maximum of each channel's map"},
       [](Words& w, Site& s) -> L { return w.Finish({}), MakeGlobalMaxPool(s.input); }},
      {{"batchnorm", "batchnorm [noscale] [momentum M] [epsilon E]",
        "batch normalisation; momentum (the share of the old averages that is kept) 0.99, epsilon 1e-3; noscale: it "
        "only "
        "shifts"},
       [](Words& w, Site& s) -> L { return ReadBatchNorm(w, s.input); }},
      {{"dropout", "dropout RATE", "in training, zeroes each value with this probability"},
       [](Words& w, Site& s) -> L { return MakeDropout(s.input, ReadRate(w)); }},
      {{"flatten", "flatten", "map to vector, in the order height, width, channel"},
       [](Words& w, Site& s) -> L { return w.Finish({}), MakeFlatten(s.input); }},
      {{"dense", "dense UNITS|classes [nobias] [unit|uniform] [ACTIVATION]",
        "fully connected layer with bias; the last one is 'dense classes'; uniform: it starts within +-1 / "
        "sqrt(inputs), as PyTorch's; unit: so, divided by its deviation"},
       [](Words& w, Site& s) -> L { return ReadDense(w, s); }},
      {{"scale", "scale FACTOR", "multiplies by a number such as 0.5, or a fraction such as 1/256"},
       [](Words& w, Site& s) -> L { return MakeScale(s.input, ReadFactor(w)); }},
      {{"skip", "skip", "begins a residual connection: what it sees is added at its 'add'; they nest"},
       [](Words& w, Site& s) -> L { return ReadSkip(w, s); }},
      {{"add", "add", "adds what the last 'skip' without an 'add' saw; the shapes must agree"},
       [](Words& w, Site& s) -> L { return ReadAdd(w, s); }},
  };
  return list;
}

/// One layer from its text. The errors of what it calls speak of the layer alone; BuildLayers adds which one it is.
std::pair<std::string, std::unique_ptr<Layer>> ReadLayer(std::string_view text, Site& site) {
  Words words(text);
  if (words.empty()) Fail(ExitCode::kUsage, "the layer is empty; is there a comma too many?");
  const std::string word = words.TakeFirst();
  for (const Entry& entry : Entries()) {
    if (entry.help.word == word) return {word, entry.read(words, site)};
  }
  if (const Activation* activation = FindActivation(word)) {
    words.Finish({});
    return {word, MakeActivation(site.input, *activation)};
  }
  std::vector<std::string> known = ActivationNames();
  for (const Entry& entry : Entries()) known.push_back(entry.help.word);
  const std::string hint =
      word == "softmax" ? " (leave softmax out: the loss and predict apply it to the logits)" : DidYouMean(word, known);
  Fail(ExitCode::kUsage, "'{}' is no layer{}; the layers are {}", word, hint, Join(known, ", "));
}

}  // namespace

const std::vector<LayerWord>& LayerWords() {
  static const std::vector<LayerWord> words = [] {
    std::vector<LayerWord> list;
    for (const Entry& entry : Entries()) list.push_back(entry.help);
    list.push_back({"", Join(ActivationNames(), " | "), "an activation, by itself or at the end of conv and dense"});
    return list;
  }();
  return words;
}

std::vector<std::unique_ptr<Layer>> BuildLayers(std::string_view text, const FeatureShape& input, int64_t classes) {
  std::vector<std::unique_ptr<Layer>> layers;
  std::map<std::string, int> count;
  Site site{.input = input, .classes = classes, .first = true, .skips = {}};
  for (const std::string_view part : Split(text, ',')) {
    try {
      auto [word, layer] = ReadLayer(part, site);
      layer->SetNames(fmt::format("{}_{}", word, ++count[word]), std::string(Trim(part)));
      site.input = layer->output_shape();
      site.first = false;
      layers.push_back(std::move(layer));
    } catch (const Error& error) {
      Fail(error.code(), "layer {} '{}': {}", layers.size() + 1, Trim(part), error.what());
    }
  }
  const FeatureShape& shape = site.input;
  if (!site.skips.empty()) {
    Fail(ExitCode::kUsage, "a 'skip' has no 'add' behind it: there is one 'add' for each 'skip', and here {} too few",
         site.skips.size());
  }
  if (shape.is_map() || shape.channels != classes) {
    Fail(ExitCode::kUsage,
         "the last layer '{}' gives {}, but one logit for each of the {} classes is needed; end with 'dense classes'",
         layers.back()->description(), ToString(shape), classes);
  }
  return layers;
}

}  // namespace spotter
