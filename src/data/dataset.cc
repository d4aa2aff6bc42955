// SPDX-License-Identifier: Apache-2.0
// How a data set is divided: its own parts are kept, what is missing is cut from the training images by the seed.
#include "data/dataset.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <queue>
#include <utility>

#include "base/error.h"
#include "base/random.h"
#include "base/text.h"

namespace spotter {
namespace {

/// What is cut from the training images. The value goes into the random stream, so that the two cuts are
/// independent.
enum class Cut : uint32_t { kTest = 0, kValidation = 1 };

/// How many images each class gives, of `counts`: the fraction of all, rounded to the nearest, shared by largest
/// remainder. (Rounding each class by itself would give nothing at all where all classes are small.) No class gives its
/// last image. Classes with the same remainder are served in their order.
std::vector<int64_t> Shares(const std::vector<int64_t>& counts, double fraction) {
  std::vector<int64_t> shares;
  using Claim = std::pair<double, int64_t>;  // what a class should give beyond its share; minus the class
  std::priority_queue<Claim> claims;
  for (size_t label = 0; label < counts.size(); ++label) {
    const double quota = fraction * static_cast<double>(counts[label]);
    shares.push_back(std::clamp<int64_t>(static_cast<int64_t>(quota), 0, std::max<int64_t>(counts[label] - 1, 0)));
    claims.emplace(quota - static_cast<double>(shares.back()), -static_cast<int64_t>(label));
  }
  const auto all = std::accumulate(counts.begin(), counts.end(), int64_t{0});
  int64_t missing =
      std::llround(fraction * static_cast<double>(all)) - std::accumulate(shares.begin(), shares.end(), int64_t{0});
  while (missing > 0 && !claims.empty()) {
    const auto [claim, minus_label] = claims.top();
    claims.pop();
    const auto label = static_cast<size_t>(-minus_label);
    if (shares[label] + 1 >= counts[label]) continue;
    ++shares[label];
    --missing;
    claims.emplace(claim - 1, minus_label);
  }
  return shares;
}

/// Moves each class's share from `from` to `to`; both stay ascending.
void CutStratified(const Dataset& data, double fraction, uint64_t seed, Cut cut, std::vector<int64_t>* from,
                   std::vector<int64_t>* to) {
  const std::vector<int64_t> shares = Shares(ClassCounts(data, *from), fraction);
  std::vector<std::vector<int64_t>> by_class(data.classes.size());
  for (const int64_t index : *from) by_class[data.labels[index]].push_back(index);
  from->clear();
  for (size_t label = 0; label < by_class.size(); ++label) {
    const std::vector<int64_t>& members = by_class[label];
    const auto n = static_cast<int64_t>(members.size());
    const uint32_t round = static_cast<uint32_t>(label) * 2 + static_cast<uint32_t>(cut);
    const std::vector<int64_t> order = Permutation(seed, Stream::kSplit, round, n);
    for (int64_t i = 0; i < n; ++i) (i < shares[label] ? to : from)->push_back(members[order[i]]);
  }
  std::sort(from->begin(), from->end());
  std::sort(to->begin(), to->end());
}

void CheckFraction(const char* what, double fraction) {
  if (!(fraction >= 0 && fraction < 1)) {
    Fail(ExitCode::kUsage, "the {} fraction is {}; expected a number from 0 to below 1, such as 0.1", what, fraction);
  }
}

/// What a classifier needs to learn from.
void CheckLearnable(const Dataset& data, const Splits& given) {
  const std::string where = Printable(data.source);
  if (given.train.empty()) {
    Fail(ExitCode::kData, "'{}' holds '{}' but no 'train'; expected the training images in train/CLASS/", where,
         PartName(given.test.empty() ? Part::kValidation : Part::kTest));
  }
  if (data.classes.size() < 2) {
    Fail(ExitCode::kData,
         "'{}' holds only one class, '{}'; a classifier needs two or more; expected class folders with images inside, "
         "such as cat/1.jpg and dog/2.jpg, or train/cat/1.jpg and test/cat/2.jpg",
         where, Printable(data.classes.front()));
  }
  const std::vector<int64_t> counts = ClassCounts(data, given.train);
  const auto empty = std::find(counts.begin(), counts.end(), 0);
  if (empty != counts.end()) {
    Fail(ExitCode::kData, "class '{}' of '{}' has no training image; add some, or remove the class",
         Printable(data.classes[empty - counts.begin()]), where);
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
    (part == Part::kValidation ? splits.validation : part == Part::kTest ? splits.test : splits.train).push_back(i);
  }
  CheckLearnable(data, splits);
  if (!has_parts) {
    CutStratified(data, test_fraction, seed, Cut::kTest, &splits.train, &splits.test);
    splits.made_test = !splits.test.empty();
  }
  if (splits.validation.empty()) {
    CutStratified(data, validation_fraction, seed, Cut::kValidation, &splits.train, &splits.validation);
    splits.made_validation = !splits.validation.empty();
  }
  return splits;
}

std::vector<int64_t> ClassCounts(const Dataset& data, const std::vector<int64_t>& indices) {
  std::vector<int64_t> counts(data.classes.size(), 0);
  for (const int64_t index : indices) ++counts[data.labels[index]];
  return counts;
}

}  // namespace spotter
