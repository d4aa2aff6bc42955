// SPDX-License-Identifier: Apache-2.0
// How a data set is divided: its own parts are kept, what is missing is cut from the training images by the
// seed.
#include "data/dataset.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/random.h"
#include "base/text.h"

namespace spotter {
namespace {

/// What is cut from the training images. The value goes into the random stream, so that the two cuts are
/// independent.
enum class Cut : uint32_t { kTest = 0, kValidation = 1 };

/// Moves each class's share from `from` to `to`; both stay ascending.
void CutStratified(const Dataset& data, double fraction, uint64_t seed, Cut cut, std::vector<int64_t>* from,
                   std::vector<int64_t>* to) {
  std::vector<std::vector<int64_t>> by_class(data.classes.size());
  for (const int64_t index : *from) by_class[data.labels[index]].push_back(index);
  from->clear();
  for (size_t label = 0; label < by_class.size(); ++label) {
    const std::vector<int64_t>& members = by_class[label];
    const auto n = static_cast<int64_t>(members.size());
    const int64_t share = std::min<int64_t>(std::llround(fraction * static_cast<double>(n)), n - 1);
    const uint32_t round = static_cast<uint32_t>(label) * 2 + static_cast<uint32_t>(cut);
    const std::vector<int64_t> order = Permutation(seed, Stream::kSplit, round, n);
    for (int64_t i = 0; i < n; ++i) (i < share ? to : from)->push_back(members[order[i]]);
  }
  std::sort(from->begin(), from->end());
  std::sort(to->begin(), to->end());
}

void CheckFraction(const char* what, double fraction) {
  if (!(fraction >= 0 && fraction < 1)) {
    Fail(ExitCode::kUsage, "the {} fraction is {}; expected a number from 0 to below 1, such as 0.1", what,
         fraction);
  }
}

}  // namespace

std::string_view PartName(Part part) {
  switch (part) {
    case Part::kNone:
      return "none";
    case Part::kTrain:
      return "train";
    case Part::kValidation:
      return "validation";
    case Part::kTest:
      return "test";
  }
  return "none";
}

Splits MakeSplits(const Dataset& data, double validation_fraction, double test_fraction, uint64_t seed) {
  CheckFraction("validation", validation_fraction);
  CheckFraction("test", test_fraction);
  Splits splits;
  bool has_parts = false;
  for (int64_t i = 0; i < data.size(); ++i) {
    const Part part = data.parts[i];
    has_parts |= part != Part::kNone;
    (part == Part::kValidation ? splits.validation
     : part == Part::kTest     ? splits.test
                               : splits.train)
        .push_back(i);
  }
  if (splits.train.empty()) {
    Fail(ExitCode::kData, "'{}' has no training images among its {}; expected some in its part 'train'",
         Printable(data.source), WithThousands(data.size()));
  }
  const std::vector<int64_t> counts = ClassCounts(data, splits.train);
  for (size_t label = 0; label < counts.size(); ++label) {
    if (counts[label] > 0) continue;
    Fail(ExitCode::kData, "class '{}' of '{}' has no training image; add some, or remove the class",
         Printable(data.classes[label]), Printable(data.source));
  }
  splits.made_test = !has_parts && test_fraction > 0;
  if (splits.made_test) CutStratified(data, test_fraction, seed, Cut::kTest, &splits.train, &splits.test);
  splits.made_validation = splits.validation.empty() && validation_fraction > 0;
  if (splits.made_validation) {
    CutStratified(data, validation_fraction, seed, Cut::kValidation, &splits.train, &splits.validation);
  }
  return splits;
}

std::vector<int64_t> ClassCounts(const Dataset& data, const std::vector<int64_t>& indices) {
  std::vector<int64_t> counts(data.classes.size(), 0);
  for (const int64_t index : indices) ++counts[data.labels[index]];
  return counts;
}

}  // namespace spotter
