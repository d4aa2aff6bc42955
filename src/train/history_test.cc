// SPDX-License-Identifier: Apache-2.0
#include "train/history.h"

#include <gtest/gtest.h>

namespace spotter {
namespace {

EpochRecord Record(int64_t epoch, std::optional<double> validation) {
  return {.epoch = epoch,
          .train_loss = 0.1 + static_cast<double>(epoch) / 3,
          .train_accuracy = 2.0 / 3,
          .validation_loss = validation,
          .validation_accuracy = validation,
          .learning_rate = 1e-7,
          .images_per_second = 12345.678,
          .data_wait_fraction = 0.01,
          .seconds = 71.2};
}

TEST(TrainState, ComesBackFromJsonExactly) {
  TrainState state;
  state.epochs_done = 2;
  state.sums = {.steps = 3, .images = 47, .correct = 31, .loss = 1.0 / 7, .train_seconds = 0.1, .data_seconds = 1e-9};
  state.plateau = {.factor = 0.1 * 0.1, .best = 1.0 / 3, .waited = 4};
  state.best_epoch = 1;
  state.best_value = -0.7000000000000001;
  state.epochs_since_best = 1;
  state.stopped_early = true;
  state.history = {Record(1, 1.0 / 9), Record(2, std::nullopt)};
  const TrainState back = TrainStateFromJson(Json::parse(DumpJson(ToJson(state))));
  EXPECT_EQ(back.epochs_done, 2);
  EXPECT_EQ(back.sums.steps, 3);
  EXPECT_EQ(back.sums.images, 47);
  EXPECT_EQ(back.sums.correct, 31);
  EXPECT_EQ(back.sums.loss, state.sums.loss);
  EXPECT_EQ(back.sums.train_seconds, 0.1);
  EXPECT_EQ(back.sums.data_seconds, 1e-9);
  EXPECT_EQ(back.plateau.factor, state.plateau.factor);
  EXPECT_EQ(back.plateau.best, state.plateau.best);
  EXPECT_EQ(back.plateau.waited, 4);
  EXPECT_EQ(back.best_epoch, 1);
  EXPECT_EQ(back.best_value, state.best_value);
  EXPECT_EQ(back.epochs_since_best, 1);
  EXPECT_TRUE(back.stopped_early);
  ASSERT_EQ(back.history.size(), 2u);
  EXPECT_EQ(back.history[0].epoch, 1);
  EXPECT_EQ(back.history[0].train_loss, state.history[0].train_loss);
  EXPECT_EQ(back.history[0].train_accuracy, state.history[0].train_accuracy);
  EXPECT_EQ(back.history[0].validation_loss, 1.0 / 9);
  EXPECT_EQ(back.history[0].validation_accuracy, 1.0 / 9);
  EXPECT_EQ(back.history[0].learning_rate, 1e-7);
  EXPECT_EQ(back.history[0].images_per_second, 12345.678);
  EXPECT_EQ(back.history[0].data_wait_fraction, 0.01);
  EXPECT_EQ(back.history[0].seconds, 71.2);
  EXPECT_FALSE(back.history[1].validation_loss.has_value());
  // And a state that has not begun: best 1e300 and all.
  EXPECT_EQ(TrainStateFromJson(Json::parse(DumpJson(ToJson(TrainState{})))).plateau.best, 1e300);
}

TEST(TrainState, CountsThatContradictEachOtherAreRefused) {
  TrainState state;
  state.epochs_done = 1;  // without an epoch in its history
  EXPECT_THROW(TrainStateFromJson(ToJson(state)), std::exception);
  TrainState negative;
  negative.sums.steps = -1;
  EXPECT_THROW(TrainStateFromJson(ToJson(negative)), std::exception);
}

}  // namespace
}  // namespace spotter
