// SPDX-License-Identifier: Apache-2.0
#include "train/class_weights.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace spotter {
namespace {

const std::vector<std::string> kClasses = {"cat", "dog", "a=b"};

std::string Refusal(const std::string& text) {
  try {
    ClassWeights(text, kClasses, {1, 1, 1});
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
    return error.what();
  }
  ADD_FAILURE() << text << " was accepted";
  return "";
}

TEST(ClassWeights, NoneIsNoWeights) { EXPECT_TRUE(ClassWeights("none", kClasses, {1, 2, 3}).empty()); }

// sklearn.utils.class_weight.compute_class_weight("balanced", ...) for 30, 10 and 60 labels gives 1.111..., 3.333...,
// 0.555...
TEST(ClassWeights, BalancedIsScikitLearns) {
  const auto weights = ClassWeights("balanced", kClasses, {30, 10, 60});
  ASSERT_EQ(weights.size(), 3u);
  EXPECT_DOUBLE_EQ(weights[0], 10.0 / 9);
  EXPECT_DOUBLE_EQ(weights[1], 10.0 / 3);
  EXPECT_DOUBLE_EQ(weights[2], 5.0 / 9);
}

TEST(ClassWeights, PairsSetTheirClassesAndLeaveTheOthersAtOne) {
  EXPECT_EQ(ClassWeights("dog=2.5", kClasses, {1, 1, 1}), (std::vector<double>{1, 2.5, 1}));
  EXPECT_EQ(ClassWeights(" dog = 0.5 , a=b=3", kClasses, {1, 1, 1}), (std::vector<double>{1, 0.5, 3}));
}

TEST(ClassWeights, RefusesWhatIsNoWeight) {
  for (const char* text : {"", "cat", "cat=", "cat=x", "cat=-1", "cat=0", "cat=nan", "cat=inf", "cat=1,", "Balanced"}) {
    EXPECT_NE(Refusal(text).find("expected none, balanced, or CLASS=WEIGHT"), std::string::npos) << text;
  }
  EXPECT_NE(Refusal("cta=2").find("no class is called 'cta' (did you mean 'cat'?); the classes are cat, dog, a=b"),
            std::string::npos)
      << Refusal("cta=2");
}

}  // namespace
}  // namespace spotter
