// SPDX-License-Identifier: Apache-2.0
#include "models/language.h"

#include <map>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "models/layers.h"

namespace spotter {
namespace {

constexpr int64_t kMostUnits = 1 << 20;

/// The words of one layer, read from left to right; each Take... removes what it recognises.
class Words {
 public:
  explicit Words(std::string_view text) {
    for (const std::string_view word : Split(text, ' ')) {
      if (!Trim(word).empty()) words_.emplace_back(Lowercase(Trim(word)));
    }
  }
  bool empty() const { return words_.empty(); }

  std::string TakeFirst() {
    std::string word = std::move(words_.front());
    words_.erase(words_.begin());
    return word;
  }
  /// The first word that convert() makes something of, or nothing.
  template <typename Convert>
  auto Take(Convert convert) -> decltype(convert(std::string())) {
    for (size_t i = 0; i < words_.size(); ++i) {
      if (auto value = convert(words_[i])) {
        words_.erase(words_.begin() + static_cast<std::ptrdiff_t>(i));
        return value;
      }
    }
    return {};
  }
  bool TakeWord(const std::string& word) {
    return Take([&](const std::string& w) { return w == word ? std::optional<bool>(true) : std::nullopt; }).has_value();
  }
  /// The number behind `keyword`, as in "stride 2".
  std::optional<int64_t> TakeAfter(const std::string& keyword, int64_t most) {
    for (size_t i = 0; i < words_.size(); ++i) {
      if (words_[i] != keyword) continue;
      if (i + 1 == words_.size()) Fail(ExitCode::kUsage, "'{}' needs a number behind it", keyword);
      const int64_t value = Count(words_[i + 1], keyword, most);
      words_.erase(words_.begin() + static_cast<std::ptrdiff_t>(i),
                   words_.begin() + static_cast<std::ptrdiff_t>(i) + 2);
      return value;
    }
    return std::nullopt;
  }
  /// The first remaining word, which must be there: `what` says what it stands for.
  std::string Need(const char* what) {
    if (words_.empty()) Fail(ExitCode::kUsage, "{} is missing", what);
    return TakeFirst();
  }
  static int64_t Count(const std::string& word, const std::string& what, int64_t most = kMostUnits) {
    const std::optional<int64_t> value = ParseInteger(word);
    if (!value || *value < 1 || *value > most) {
      Fail(ExitCode::kUsage, "'{}' is not {}: expected a whole number from 1 to {}", word, what, most);
    }
    return *value;
  }
  /// Every word must have been taken by now.
  void Finish(const std::vector<std::string>& allowed) const {
    if (words_.empty()) return;
    const std::string hint = words_.front() == "softmax"
                                 ? " (leave softmax out: the loss and predict apply it to the logits)"
                                 : DidYouMean(words_.front(), allowed);
    Fail(ExitCode::kUsage, "'{}' is not expected here{}; {}", words_.front(), hint,
         allowed.empty() ? "nothing may follow" : "expected " + Join(allowed, ", "));
  }

 private:
  std::vector<std::string> words_;
};

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

std::unique_ptr<Layer> ReadConv(Words& words, const FeatureShape& input) {
  const int64_t filters = Words::Count(words.Need("the number of filters, as in 'conv 32'"), "a number of filters");
  Window window;
  window.stride = words.TakeAfter("stride", 64).value_or(1);
  window.padding = TakePadding(words);
  const Activation* activation = TakeActivation(words);
  TakeKernel(words, window);
  words.Finish(With({"a kernel such as 3 or 5x3", "valid", "same", "stride N"}, ActivationNames()));
  return MakeConv(input, filters, window, activation);
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

std::unique_ptr<Layer> ReadDense(Words& words, const FeatureShape& input, int64_t classes) {
  const std::string units = words.Need("the number of units, as in 'dense 128' or 'dense classes'");
  const int64_t count =
      units == "classes" ? classes : Words::Count(units, "a number of units ('classes' for one a class)");
  const Activation* activation = TakeActivation(words);
  words.Finish(ActivationNames());
  return MakeDense(input, count, activation);
}

/// A word, how to read the rest of its layer, and its help: the one list of the language.
struct Entry {
  LayerWord help;
  std::unique_ptr<Layer> (*read)(Words& words, const FeatureShape& input, int64_t classes);
};

const std::vector<Entry>& Entries() {
  using L = std::unique_ptr<Layer>;
  using S = const FeatureShape&;
  static const std::vector<Entry> list = {
      {{"conv", "conv FILTERS [KERNEL] [valid|same] [stride N] [ACTIVATION]",
        "convolution with bias; kernel 3, valid, stride 1 unless given"},
       [](Words& w, S in, int64_t) -> L { return ReadConv(w, in); }},
      {{"maxpool", "maxpool N [stride N] [valid|same]", "maximum of N x N windows; stride N unless given"},
       [](Words& w, S in, int64_t) -> L { return MakeMaxPool(in, ReadPoolWindow(w)); }},
      {{"avgpool", "avgpool N [stride N] [valid|same]", "mean of N x N windows; stride N unless given"},
       [](Words& w, S in, int64_t) -> L { return MakeAvgPool(in, ReadPoolWindow(w)); }},
      {{"globalavgpool", "globalavgpool", "mean of each channel's map"},
       [](Words& w, S in, int64_t) -> L { return w.Finish({}), MakeGlobalAvgPool(in); }},
      {{"globalmaxpool", "globalmaxpool", "maximum of each channel's map"},
       [](Words& w, S in, int64_t) -> L { return w.Finish({}), MakeGlobalMaxPool(in); }},
      {{"batchnorm", "batchnorm", "batch normalisation; epsilon 1e-3, momentum 0.99"},
       [](Words& w, S in, int64_t) -> L { return w.Finish({}), MakeBatchNorm(in); }},
      {{"dropout", "dropout RATE", "in training, zeroes each value with this probability"},
       [](Words& w, S in, int64_t) -> L { return MakeDropout(in, ReadRate(w)); }},
      {{"flatten", "flatten", "map to vector, in the order height, width, channel"},
       [](Words& w, S in, int64_t) -> L { return w.Finish({}), MakeFlatten(in); }},
      {{"dense", "dense UNITS|classes [ACTIVATION]",
        "fully connected layer with bias; the last one is 'dense classes'"},
       [](Words& w, S in, int64_t classes) -> L { return ReadDense(w, in, classes); }},
  };
  return list;
}

/// One layer from its text. The errors of what it calls speak of the layer alone; BuildLayers adds which one it is.
std::pair<std::string, std::unique_ptr<Layer>> ReadLayer(std::string_view text, const FeatureShape& input,
                                                         int64_t classes) {
  Words words(text);
  if (words.empty()) Fail(ExitCode::kUsage, "the layer is empty; is there a comma too many?");
  const std::string word = words.TakeFirst();
  for (const Entry& entry : Entries()) {
    if (entry.help.word == word) return {word, entry.read(words, input, classes)};
  }
  if (const Activation* activation = FindActivation(word)) {
    words.Finish({});
    return {word, MakeActivation(input, *activation)};
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
  FeatureShape shape = input;
  for (const std::string_view part : Split(text, ',')) {
    try {
      auto [word, layer] = ReadLayer(part, shape, classes);
      layer->SetNames(fmt::format("{}_{}", word, ++count[word]), std::string(Trim(part)));
      shape = layer->output_shape();
      layers.push_back(std::move(layer));
    } catch (const Error& error) {
      Fail(error.code(), "layer {} '{}': {}", layers.size() + 1, Trim(part), error.what());
    }
  }
  if (shape.is_map() || shape.channels != classes) {
    Fail(ExitCode::kUsage,
         "the last layer '{}' gives {}, but one logit for each of the {} classes is needed; end with 'dense classes'",
         layers.back()->description(), ToString(shape), classes);
  }
  return layers;
}

}  // namespace spotter
