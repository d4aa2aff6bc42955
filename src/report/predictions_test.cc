// SPDX-License-Identifier: Apache-2.0
#include "report/predictions.h"

#include "base/error.h"
#include "support/test_support.h"

namespace spotter {
namespace {

class PredictionsTest : public testing::Test {
 protected:
  std::vector<PredictionLine> Read(const std::string& text) {
    WriteText(folder_.path() / "predictions.csv", text);
    return ReadPredictions(folder_.path() / "predictions.csv");
  }
  const std::string head_ = "file,label,prediction,probability,correct\n";
  TemporaryFolder folder_;
};

TEST_F(PredictionsTest, ReadsWhatACsvFileMayHold) {
  const auto lines = Read(head_ + "a.png,cat,dog,0.5,0\n\"a, \"\"b\"\"\n.png\",cat,cat,1,1\n");
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].prediction, "dog");
  EXPECT_FALSE(lines[0].correct());
  EXPECT_EQ(lines[1].file, "a, \"b\"\n.png");
  EXPECT_EQ(lines[1].probability, 1);
  EXPECT_TRUE(lines[1].correct());
}

TEST_F(PredictionsTest, RefusesAnotherForm) {
  EXPECT_THROW(Read(""), Error);
  EXPECT_THROW(Read("file,label\n"), Error);
  EXPECT_THROW(Read(head_ + "a.png,cat,dog,much,0\n"), Error);
  EXPECT_THROW(Read(head_ + "a.png,cat\n"), Error);
}

}  // namespace
}  // namespace spotter
