// SPDX-License-Identifier: Apache-2.0
#include "page/findings.h"

#include <gtest/gtest.h>

namespace spotter {
namespace {

/// Metrics with this confusion matrix; logits that are sure of each prediction.
Metrics WithConfusion(const std::vector<std::vector<int64_t>>& confusion) {
  std::vector<int32_t> labels;
  std::vector<float> logits;
  for (size_t truth = 0; truth < confusion.size(); ++truth) {
    for (size_t prediction = 0; prediction < confusion.size(); ++prediction) {
      for (int64_t i = 0; i < confusion[truth][prediction]; ++i) {
        labels.push_back(static_cast<int32_t>(truth));
        for (size_t c = 0; c < confusion.size(); ++c) logits.push_back(c == prediction ? 1.0F : 0.0F);
      }
    }
  }
  return ComputeMetrics(labels, logits, static_cast<int64_t>(confusion.size()));
}

const std::vector<std::string> kAnimals = {"cat", "dog", "ship"};

TEST(Findings, BestWorstAndThePairThatIsConfusedMost) {
  // F1: cat 2*6/(6+7 ... by hand: cat 12/19, dog 12/20, ship 18/21.
  const Metrics m = WithConfusion({{6, 3, 1}, {3, 6, 1}, {0, 1, 9}});
  EXPECT_EQ(Findings(m, kAnimals),
            "It is best on ship and cat (F1 86 % and 63 %) and weakest on dog (60 %). Most often confused: cat and "
            "dog, one for the other, 67 % of all errors.");
}

TEST(Findings, OneDirectionOnly) {
  const Metrics m = WithConfusion({{5, 5, 0}, {1, 9, 0}, {0, 0, 10}});
  EXPECT_TRUE(Findings(m, kAnimals).ends_with("Most often confused: cat taken for dog, 100 % of all errors."));
}

TEST(Findings, TwoClasses) {
  const Metrics m = WithConfusion({{9, 1}, {5, 5}});
  EXPECT_TRUE(Findings(m, {"a", "b"})
                  .starts_with("It is better on a (F1 75 %) than on b (62 %). Most often confused: b taken for a, "));
}

TEST(Findings, NoErrors) {
  EXPECT_EQ(Findings(WithConfusion({{2, 0}, {0, 3}}), {"a", "b"}), "All 5 images are answered right.");
}

TEST(Findings, ClassesWithoutImagesAreNotJudged) {
  const Metrics m = WithConfusion({{9, 1, 0}, {2, 8, 0}, {0, 0, 0}});
  EXPECT_EQ(Findings(m, kAnimals).find("ship"), std::string::npos);
}

TEST(MostConfused, NamesTheLargestCellOfTheRow) {
  const Metrics m = WithConfusion({{6, 3, 1}, {0, 6, 0}, {4, 1, 9}});
  EXPECT_EQ(MostConfused(m, 0).prediction, 1U);
  EXPECT_EQ(MostConfused(m, 0).count, 3);
  EXPECT_EQ(MostConfused(m, 1).count, 0);
  EXPECT_EQ(MostConfused(m, 2).prediction, 0U);
}

}  // namespace
}  // namespace spotter
