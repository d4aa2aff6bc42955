// SPDX-License-Identifier: Apache-2.0
// Splits: what the data set gives is kept, what it lacks is cut evenly, repeatably, and never overlaps.
#include "data/dataset.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/random.h"
#include "data/test_files.h"

namespace spotter {
namespace {

/// `counts[label]` images of each class, all in one part.
Dataset Make(const std::vector<int>& counts, Part part) {
  Dataset data;
  data.source = "made";
  for (size_t label = 0; label < counts.size(); ++label) {
    data.classes.push_back("class" + std::to_string(label));
    data.labels.insert(data.labels.end(), counts[label], static_cast<int32_t>(label));
  }
  data.parts.assign(data.labels.size(), part);
  return data;
}

void ExpectEachOnce(const Dataset& data, const Splits& splits) {
  std::multiset<int64_t> all;
  for (const auto* part : {&splits.train, &splits.validation, &splits.test}) {
    EXPECT_TRUE(std::is_sorted(part->begin(), part->end()));
    all.insert(part->begin(), part->end());
  }
  EXPECT_EQ(static_cast<int64_t>(all.size()), data.size());
  EXPECT_EQ(static_cast<int64_t>(std::set<int64_t>(all.begin(), all.end()).size()), data.size());
}

TEST(MakeSplits, CutsEachClassInProportion) {
  const Dataset data = Make({100, 50, 10}, Part::kNone);
  const Splits splits = MakeSplits(data, 0.1, 0.2, 1);
  ExpectEachOnce(data, splits);
  EXPECT_TRUE(splits.made_test);
  EXPECT_TRUE(splits.made_validation);
  EXPECT_EQ(ClassCounts(data, splits.test), (std::vector<int64_t>{20, 10, 2}));
  EXPECT_EQ(ClassCounts(data, splits.validation), (std::vector<int64_t>{8, 4, 1}));
  EXPECT_EQ(ClassCounts(data, splits.train), (std::vector<int64_t>{72, 36, 7}));
}

TEST(MakeSplits, IsAPureFunctionOfTheSeed) {
  const Dataset data = Make({100, 100}, Part::kNone);
  const Splits a = MakeSplits(data, 0.1, 0.1, 1);
  const Splits again = MakeSplits(data, 0.1, 0.1, 1);
  const Splits other = MakeSplits(data, 0.1, 0.1, 2);
  EXPECT_EQ(a.validation, again.validation);
  EXPECT_EQ(a.test, again.test);
  EXPECT_NE(a.validation, other.validation);
  EXPECT_NE(a.test, other.test);
}

TEST(MakeSplits, DrawsFromEachClassOnItsOwn) {
  const Dataset data = Make({100, 100}, Part::kNone);
  const Splits splits = MakeSplits(data, 0.2, 0, 1);
  std::set<int64_t> first, second;  // places inside the class
  for (const int64_t i : splits.validation) (i < 100 ? first : second).insert(i % 100);
  EXPECT_NE(first, second);
}

TEST(MakeSplits, TheTestPartDoesNotDependOnTheValidationFraction) {
  const Dataset data = Make({100, 100}, Part::kNone);
  EXPECT_EQ(MakeSplits(data, 0.0, 0.1, 1).test, MakeSplits(data, 0.3, 0.1, 1).test);
}

TEST(MakeSplits, KeepsTheGivenPartsAndNeverTouchesTheTestImages) {
  Dataset data = Make({100, 100}, Part::kTrain);
  for (int64_t i = 0; i < data.size(); i += 10) data.parts[i] = Part::kTest;
  const Splits splits = MakeSplits(data, 0.1, 0.5, 1);
  ExpectEachOnce(data, splits);
  EXPECT_FALSE(splits.made_test);
  EXPECT_TRUE(splits.made_validation);
  EXPECT_EQ(splits.test.size(), 20u);
  EXPECT_EQ(ClassCounts(data, splits.validation), (std::vector<int64_t>{9, 9}));
  for (const int64_t i : splits.validation) EXPECT_EQ(data.parts[i], Part::kTrain);

  for (int64_t i = 5; i < data.size(); i += 10) data.parts[i] = Part::kValidation;
  const Splits given = MakeSplits(data, 0.1, 0.1, 1);
  EXPECT_FALSE(given.made_validation);
  EXPECT_EQ(given.validation.size(), 20u);
  EXPECT_EQ(given.train.size(), 160u);
}

TEST(MakeSplits, LeavesEachClassATrainingImage) {
  const Dataset data = Make({1, 2, 100}, Part::kNone);
  const Splits splits = MakeSplits(data, 0.9, 0.9, 1);
  ExpectEachOnce(data, splits);
  for (const int64_t count : ClassCounts(data, splits.train)) EXPECT_GE(count, 1);
}

TEST(MakeSplits, CutsItsShareOfManySmallClasses) {
  const Dataset data = Make(std::vector<int>(10, 4), Part::kNone);
  const Splits splits = MakeSplits(data, 0.1, 0.1, 1);
  ExpectEachOnce(data, splits);
  EXPECT_TRUE(splits.made_test);
  EXPECT_EQ(splits.test.size(), 4u);
  EXPECT_EQ(splits.validation.size(), 4u);  // a tenth of the 36 that are left
  for (const int64_t count : ClassCounts(data, splits.test)) EXPECT_LE(count, 1);
  for (const int64_t count : ClassCounts(data, splits.train)) EXPECT_GE(count, 2);
}

TEST(MakeSplits, GivesTheRestToTheLargestRemainders) {
  const Dataset data = Make({14, 17, 9}, Part::kNone);  // a tenth: 1.4, 1.7 and 0.9 of 4
  EXPECT_EQ(ClassCounts(data, MakeSplits(data, 0, 0.1, 1).test), (std::vector<int64_t>{1, 2, 1}));
}

TEST(MakeSplits, TakesWholeSharesOfBalancedClassesAsTheyAre) {
  for (const double fraction : {0.1, 0.07, 0.29, 0.57, 0.9}) {
    const Dataset data = Make({100, 100, 100}, Part::kTrain);
    const Splits splits = MakeSplits(data, fraction, 0, 7);
    const auto share = static_cast<int64_t>(std::llround(100 * fraction));
    EXPECT_EQ(ClassCounts(data, splits.validation), std::vector<int64_t>(3, share)) << fraction;
    std::vector<int64_t> expected;  // the first of each class's own permutation
    for (uint32_t label = 0; label < 3; ++label) {
      const std::vector<int64_t> order = Permutation(7, Stream::kSplit, 2 * label + 1, 100);
      for (int64_t i = 0; i < share; ++i) expected.push_back(100 * label + order[i]);
    }
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(splits.validation, expected) << fraction;
  }
}

TEST(MakeSplits, SaysOnlyOfPartsWithImagesThatItMadeThem) {
  const Splits splits = MakeSplits(Make({1, 1}, Part::kNone), 0.1, 0.1, 1);
  EXPECT_EQ(splits.train.size(), 2u);
  EXPECT_FALSE(splits.made_test || splits.made_validation);
}

TEST(MakeSplits, ZeroFractionsCutNothing) {
  const Splits splits = MakeSplits(Make({5, 5}, Part::kNone), 0, 0, 1);
  EXPECT_EQ(splits.train.size(), 10u);
  EXPECT_FALSE(splits.made_test || splits.made_validation);
}

TEST(MakeSplits, WantsWhatAClassifierCanBeLearntFrom) {
  const auto error = [](const std::vector<int>& counts, Part part) {
    return ErrorOf(ExitCode::kData, [&] { MakeSplits(Make(counts, part), 0.1, 0.1, 1); });
  };
  EXPECT_CONTAINS(error({3, 3}, Part::kTest), "'made' holds 'test' but no 'train'");
  EXPECT_CONTAINS(error({3, 3}, Part::kValidation), "holds 'validation' but no 'train'");
  EXPECT_CONTAINS(error({3}, Part::kNone), "only one class, 'class0'; a classifier needs two or more");
  EXPECT_CONTAINS(error({3, 0}, Part::kTrain), "class 'class1' of 'made' has no training image");
}

TEST(MakeSplits, RefusesFractionsOutOfRange) {
  const Dataset data = Make({3, 3}, Part::kNone);
  for (const double bad : {-0.1, 1.0, 2.0, std::nan("")}) {
    EXPECT_CONTAINS(ErrorOf(ExitCode::kUsage, [&] { MakeSplits(data, bad, 0, 1); }), "validation fraction");
    EXPECT_CONTAINS(ErrorOf(ExitCode::kUsage, [&] { MakeSplits(data, 0, bad, 1); }), "test fraction");
  }
}

}  // namespace
}  // namespace spotter
