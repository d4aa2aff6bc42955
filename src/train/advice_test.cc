// SPDX-License-Identifier: Apache-2.0
#include "train/advice.h"

#include <gtest/gtest.h>

#include <cmath>

namespace spotter {
namespace {

using Losses = std::vector<double>;

/// A history of ten balanced classes unless a test says otherwise.
class AdviceTest : public testing::Test {
 protected:
  std::vector<std::string> TopicsNow() const {
    std::vector<std::string> topics;
    for (const Advice& advice : Advise(history, settings, train_counts, validation_counts))
      topics.push_back(advice.topic);
    return topics;
  }
  std::string Text(const std::string& topic) const {
    for (const Advice& advice : Advise(history, settings, train_counts, validation_counts)) {
      if (advice.topic == topic) return advice.text;
    }
    return "";
  }
  void Epochs(const Losses& train, const Losses& validation, double validation_accuracy = 0.5) {
    for (size_t i = 0; i < train.size(); ++i) {
      EpochRecord epoch;
      epoch.epoch = static_cast<int64_t>(i + 1);
      epoch.train_loss = train[i];
      epoch.train_accuracy = 0.1;
      if (!validation.empty()) epoch.validation_loss = validation[i];
      if (!validation.empty()) epoch.validation_accuracy = validation_accuracy;
      history.push_back(epoch);
    }
  }

  std::vector<EpochRecord> history;
  TrainSettings settings;
  std::vector<int64_t> train_counts = std::vector<int64_t>(10, 100);
  std::vector<int64_t> validation_counts = std::vector<int64_t>(10, 10);
};

using Topics = std::vector<std::string>;

TEST_F(AdviceTest, ARunThatLearnsHearsNothing) {
  Epochs({1.6, 1.2, 1.0, 0.9, 0.85, 0.8}, {1.4, 1.1, 1.0, 0.95, 0.94, 0.95});
  EXPECT_EQ(TopicsNow(), Topics());
}

TEST_F(AdviceTest, LossThatStaysAtGuessing) {
  Epochs({2.31, 2.303, 2.302}, {2.303, 2.303, 2.303}, 0.1);
  ASSERT_EQ(TopicsNow(), Topics{"not learning"});
  EXPECT_NE(Text("not learning").find("2.30"), std::string::npos);
  EXPECT_NE(Text("not learning").find("--learning-rate 0.0001"), std::string::npos);
  history.pop_back();
  EXPECT_EQ(TopicsNow(), Topics()) << "two epochs are too early to tell";
}

TEST_F(AdviceTest, ASlowBeginningIsLearning) {
  Epochs({3.29, 2.9, 2.47}, {2.3, 2.25, 2.2}, 0.2);
  EXPECT_EQ(TopicsNow(), Topics()) << "the validation loss has left guessing";
  for (EpochRecord& epoch : history) epoch.validation_loss = 2.31;
  history.back().train_accuracy = 0.26;
  EXPECT_EQ(TopicsNow(), Topics()) << "a quarter of the training images are answered right";
}

TEST_F(AdviceTest, ATinyRateIsNotMadeSmaller) {
  settings.schedule.learning_rate = 1e-6;
  Epochs({2.31, 2.303, 2.302}, {2.303, 2.303, 2.303}, 0.1);
  EXPECT_NE(Text("not learning").find("--learning-rate 0.001"), std::string::npos);
}

TEST_F(AdviceTest, ALossFarAboveGuessingIsOfTheRates) {
  Epochs({4246.0}, {4000.0}, 0.1);
  EXPECT_EQ(TopicsNow(), Topics{"rates"});
  EXPECT_NE(Text("rates").find("4.25e+03"), std::string::npos);
  EXPECT_NE(Text("rates").find("--learning-rate 0.0001"), std::string::npos);
  settings.optimizer.head_learning_rate = 792;
  EXPECT_NE(Text("rates").find("--head-learning-rate 0"), std::string::npos);
  Epochs({20.0}, {20.0}, 0.1);
  EXPECT_EQ(TopicsNow(), Topics()) << "a first epoch can begin badly";
}

TEST_F(AdviceTest, GuessingAmongTwoClassesHasAnotherLoss) {
  train_counts = validation_counts = {100, 100};
  Epochs({0.70, 0.694, 0.693}, {0.693, 0.693, 0.693});
  EXPECT_EQ(TopicsNow(), Topics{"not learning"});
}

TEST_F(AdviceTest, OneClassForEverything) {
  validation_counts = {70, 10, 10, 10};
  train_counts = {280, 100, 100, 100};
  Epochs({1.0, 0.95, 0.94}, {0.95, 0.95, 0.95}, 0.7);
  EXPECT_EQ(TopicsNow(), Topics{"one class"});
  history.back().validation_accuracy = 0.75;
  EXPECT_EQ(TopicsNow(), Topics());
}

TEST_F(AdviceTest, RateTooHigh) {
  Epochs({1.2, 1.0, 1.9}, {1.1, 1.0, 1.0});
  ASSERT_EQ(TopicsNow(), Topics{"learning rate"});
  EXPECT_NE(Text("learning rate").find("epoch 3 the training loss rose from 1.00 to 1.90"), std::string::npos);
}

TEST_F(AdviceTest, Overfitting) {
  Epochs({1.2, 0.8, 0.5, 0.3, 0.2}, {1.1, 1.0, 1.05, 1.2, 1.4});
  ASSERT_EQ(TopicsNow(), Topics{"overfitting"});
  EXPECT_NE(Text("overfitting").find("since epoch 2"), std::string::npos);
  EXPECT_NE(Text("overfitting").find("--flip"), std::string::npos);
  settings.flip = true;
  EXPECT_EQ(Text("overfitting").find("--flip"), std::string::npos) << "it is on already";
  settings.early_stopping = 9;
  settings.optimizer.weight_decay = 0.1;
  EXPECT_NE(Text("overfitting").find("more dropout in --model or a smaller --model"), std::string::npos);
}

TEST_F(AdviceTest, StillLearningAtTheEnd) {
  settings.epochs = 4;
  Epochs({1.5, 1.2, 1.0, 0.9}, {1.4, 1.2, 1.1, 1.0});
  ASSERT_EQ(TopicsNow(), Topics{"unfinished"});
  EXPECT_NE(Text("unfinished").find("--epochs 8"), std::string::npos);
  settings.epochs = 5;
  EXPECT_EQ(TopicsNow(), Topics()) << "an epoch is left";
}

TEST_F(AdviceTest, WaitingForImages) {
  Epochs({1.5, 1.2, 1.1}, {1.4, 1.2, 1.15});
  for (EpochRecord& epoch : history) epoch.data_wait_fraction = 0.3;
  EXPECT_EQ(TopicsNow(), Topics()) << "epochs of no time";
  for (EpochRecord& epoch : history) epoch.seconds = 2;
  EXPECT_EQ(TopicsNow(), Topics{"waiting"});
}

TEST_F(AdviceTest, ImbalanceIsToldAtOnce) {
  train_counts = {500, 100};
  EXPECT_EQ(TopicsNow(), Topics{"imbalance"});
  settings.class_weights = "balanced";
  EXPECT_EQ(TopicsNow(), Topics());
}

TEST_F(AdviceTest, WithoutValidationImages) {
  validation_counts = std::vector<int64_t>(10, 0);
  settings.epochs = 3;
  Epochs({1.2, 0.8, 0.5}, {});
  EXPECT_EQ(TopicsNow(), Topics());
}

}  // namespace
}  // namespace spotter
