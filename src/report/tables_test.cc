// SPDX-License-Identifier: Apache-2.0
#include "report/tables.h"

#include <gtest/gtest.h>

namespace spotter {
namespace {

bool Has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Labels cat, dog, dog, bird; predicted cat, dog, cat, bird, each with a lead of 1.
Metrics FourImages() {
  return ComputeMetrics(std::vector<int32_t>{0, 1, 1, 2}, std::vector<float>{1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1}, 3);
}
const std::vector<std::string> kClasses = {"cat", "dog, \"big\"", "bird"};

TEST(Percent, HasTwoDecimals) {
  EXPECT_EQ(Percent(0.7243), "72.43 %");
  EXPECT_EQ(Percent(1), "100.00 %");
}

TEST(MetricsText, SaysAccuracyIntervalAndEveryClass) {
  const std::string text = MetricsText(FourImages(), kClasses);
  EXPECT_TRUE(Has(text, "accuracy 75.00 %")) << text;
  EXPECT_TRUE(Has(text, "30.06 to 95.44 %")) << text;  // statsmodels: proportion_confint(3, 4, method="wilson")
  EXPECT_TRUE(Has(text, "on 4 images")) << text;
  EXPECT_TRUE(Has(text, "top-2 accuracy")) << text;
  for (const char* name : {"cat", "dog, \"big\"", "bird", "macro average", "weighted average", "truth \\ predicted"})
    EXPECT_TRUE(Has(text, name)) << text;
}

TEST(EvaluationText, SaysHowFarTheProbabilitiesAreOff) {
  // Half of the images are predicted right, each with 1 / (1 + e^-2) = 88.1 %, and at temperature 2 with 73.1 %.
  std::string text = EvaluationText(EvaluateLogits({0, 1}, {2, 0, 2, 0}, 2, 2), {"a", "b"});
  EXPECT_TRUE(Has(text, "accuracy 50.00 %")) << text;
  EXPECT_TRUE(
      Has(text, "its probabilities are off by 23.1 % on average (ECE, 15 bins; 38.1 % before temperature 2.00)"))
      << text;
  text = EvaluationText(EvaluateLogits({0, 1}, {2, 0, 2, 0}, 2, 1), {"a", "b"});
  EXPECT_TRUE(Has(text, "off by 38.1 % on average (ECE, 15 bins)\n")) << text;
}

TEST(MetricsText, OfTwoClassesHasNoTopK) {
  const Metrics m = ComputeMetrics(std::vector<int32_t>{0, 1}, std::vector<float>{1, 0, 0, 1}, 2);
  EXPECT_FALSE(Has(MetricsText(m, {"a", "b"}), "top-"));
}

TEST(MetricsText, ShortensLongNamesAndCleansHostileOnes) {
  const std::string long_name(200, 'n');
  const std::string text = MetricsText(FourImages(), {long_name, "\x1b[31mred\n", "caf\xe9"});
  EXPECT_FALSE(Has(text, long_name));
  EXPECT_TRUE(Has(text, "nnn…"));
  EXPECT_FALSE(Has(text, "\x1b"));
  EXPECT_TRUE(Has(text, "?[31mred?"));
  EXPECT_TRUE(Has(text, "caf\xEF\xBF\xBD"));
}

TEST(MetricsText, LeavesOutAMatrixThatIsTooWide) {
  std::vector<std::string> classes;
  for (int i = 0; i < 31; ++i) classes.push_back("class" + std::to_string(i));
  const std::string text = MetricsText(ComputeMetrics(std::vector<int32_t>{0}, std::vector<float>(31), 31), classes);
  EXPECT_TRUE(Has(text, "31 x 31, too wide"));
  EXPECT_TRUE(Has(text, "class30"));
}

TEST(PerClassCsv, IsALineAClassAndTheAverages) {
  EXPECT_EQ(PerClassCsv(FourImages(), kClasses),
            "class,precision,recall,f1,support\n"
            "cat,0.5,1,0.6666666666666666,1\n"
            "\"dog, \"\"big\"\"\",1,0.5,0.6666666666666666,2\n"
            "bird,1,1,1,1\n"
            "macro average,0.8333333333333333,0.8333333333333333,0.7777777777777777,4\n"
            "weighted average,0.875,0.75,0.75,4\n");
}

TEST(ConfusionCsv, HasTheTruthInRows) {
  EXPECT_EQ(ConfusionCsv(FourImages(), kClasses),
            "truth,cat,\"dog, \"\"big\"\"\",bird\n"
            "cat,1,0,0\n"
            "\"dog, \"\"big\"\"\",1,1,0\n"
            "bird,0,0,1\n");
}

TEST(HistoryCsv, IsALineAnEpochAndEmptyWhereThereIsNothing) {
  const std::vector<EpochRecord> history = {{.epoch = 1,
                                             .train_loss = 0.1,
                                             .train_accuracy = 0.5,
                                             .validation_loss = 0.25,
                                             .validation_accuracy = 1,
                                             .learning_rate = 1e-7,
                                             .images_per_second = 1234.56,
                                             .data_wait_fraction = 0.01234,
                                             .seconds = 1.5},
                                            {.epoch = 2, .train_loss = 1.0 / 3}};
  EXPECT_EQ(HistoryCsv(history),
            "epoch,train_loss,train_accuracy,validation_loss,validation_accuracy,learning_rate,images_per_"
            "second,data_"
            "wait_fraction,seconds\n"
            "1,0.1,0.5,0.25,1,1e-07,1234.6,0.0123,1.500\n"
            "2,0.3333333333333333,0,,,0,0.0,0.0000,0.000\n");
}

TEST(PredictionsCsv, IsALineAnImage) {
  Dataset data;
  data.names = {"a/1.jpg", "odd, name.jpg", "unused"};
  EXPECT_EQ(PredictionsCsv(data, {"cat", "dog"}, {1, 0}, EvaluateLogits({0, 1}, {0, 0, 6, 0}, 2, 2)),
            "file,label,prediction,probability,correct\n"
            "\"odd, name.jpg\",cat,cat,0.5,1\n"
            "a/1.jpg,dog,cat,0.952574127,0\n");  // 1 / (1 + e^-3)
}

Dataset TwoClasses() {
  Dataset data;
  data.source = "my pictures";
  data.layout = "image folder";
  data.located = "/data/my pictures";
  data.resized = true;
  data.fingerprint = "00ff";
  data.shape = {8, 9, 3};
  data.classes = {"cat", "dog"};
  data.labels = {0, 0, 1, 1, 1};
  data.skipped = {{"bad\x1b.jpg", "not an image"}};
  return data;
}

TEST(DatasetText, CountsTheImagesOfEveryClassAndPart) {
  Splits splits{.train = {0, 2, 3}, .validation = {1}, .test = {4}};
  std::string text = DatasetText(TwoClasses(), splits);
  for (const char* part : {"my pictures: image folder, 5 images of 8 x 9 x 3", "2 classes", "1 file was skipped",
                           "bad?.jpg: not an image", "read from /data/my pictures", "other sizes are resized"}) {
    EXPECT_TRUE(Has(text, part)) << part << " is not in:\n" << text;
  }
  EXPECT_FALSE(Has(text, "cut from"));
  splits.made_validation = splits.made_test = true;
  text = DatasetText(TwoClasses(), splits);
  EXPECT_TRUE(Has(text, "Validation images are cut from the training images"));
  EXPECT_TRUE(Has(text, "test images are cut from it as well"));
}

TEST(DatasetJson, HoldsTheSame) {
  const Json json = DatasetJson(TwoClasses(), {.train = {0, 2, 3}, .validation = {1}, .test = {4}});
  EXPECT_EQ(json.at("images"), 5);
  EXPECT_EQ(json.at("height"), 8);
  EXPECT_EQ(json.at("classes"), (Json{"cat", "dog"}));
  EXPECT_EQ(json.at("train").at("images"), 3);
  EXPECT_EQ(json.at("train").at("per_class").at("dog"), 2);
  EXPECT_EQ(json.at("validation").at("per_class").at("dog"), 0);
  EXPECT_EQ(json.at("test").at("per_class").at("dog"), 1);
  EXPECT_EQ(json.at("skipped")[0].at("reason"), "not an image");
}

}  // namespace
}  // namespace spotter
