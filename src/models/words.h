// SPDX-License-Identifier: Apache-2.0
// How language.cc reads the words of one layer; nothing else includes it. Every error is an Error(kUsage) that speaks
// of the word alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace spotter {

inline constexpr int64_t kMostUnits = 1 << 20;

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
  /// The number behind `keyword`, from `least` to `most`, as in "momentum 0.9".
  std::optional<double> TakeNumberAfter(const std::string& keyword, double least, double most) {
    for (size_t i = 0; i < words_.size(); ++i) {
      if (words_[i] != keyword) continue;
      if (i + 1 == words_.size()) Fail(ExitCode::kUsage, "'{}' needs a number behind it", keyword);
      const std::optional<double> value = ParseNumber(words_[i + 1]);
      if (!value || !(*value >= least && *value <= most)) {
        Fail(ExitCode::kUsage, "'{}' is not {}: expected a number from {} to {}", words_[i + 1], keyword, least, most);
      }
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

}  // namespace spotter
