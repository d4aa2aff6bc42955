// SPDX-License-Identifier: Apache-2.0
#include "optimize/schedule.h"

#include "base/json.h"
#include "support/test_support.h"

namespace spotter {
namespace {

/// What PyTorch's schedulers give; tests/fixtures/make_schedule_fixture.py wrote it.
const Json& Torch(const char* name) {
  static const Json all = Json::parse(ReadText(Fixture("schedules.json")));
  return all.at(name);
}

void ExpectTorchsRates(const ScheduleSettings& settings, const std::string& name) {
  const Json& torch = Torch(name.c_str());
  const double steps = torch.at("steps");
  constexpr double kEpochs = 8;  // of five steps each
  for (size_t i = 0; i < torch.at("rates").size(); ++i) {
    const double epoch = static_cast<double>(i) * kEpochs / steps;
    EXPECT_NEAR(ScheduledRate(settings, epoch, kEpochs), torch.at("rates")[i].get<double>(), 1e-12) << "step " << i;
  }
}

TEST(Schedule, CosineIsTorchsCosineAnnealingLR) {
  ExpectTorchsRates({.name = "cosine", .learning_rate = 0.2, .min_learning_rate = 0.002}, "cosine");
}

TEST(Schedule, LinearIsTorchsLinearLR) {
  ExpectTorchsRates({.name = "linear", .learning_rate = 0.2, .min_learning_rate = 0.002}, "linear");
}

TEST(Schedule, StepIsTorchsStepLR) {
  ExpectTorchsRates({.name = "step", .learning_rate = 0.2, .step_epochs = 2, .step_factor = 0.3}, "step");
}

// torch counts N - 1 intervals between its N steps, 0.3 N - 1 of them rising. At the same place of either part the rate
// is the same.
TEST(Schedule, OneCycleIsTorchsOneCycleLR) {
  const Json& torch = Torch("one-cycle");
  const ScheduleSettings settings{
      .name = "one-cycle", .learning_rate = 0.2, .min_learning_rate = 0.1, .warmup_epochs = 3};
  const double steps = torch.at("steps"), peak = 0.3 * steps - 1;
  for (size_t i = 0; i < torch.at("rates").size(); ++i) {
    const auto step = static_cast<double>(i);
    const double progress = step <= peak ? 0.3 * step / peak : 0.3 + 0.7 * (step - peak) / (steps - 1 - peak);
    EXPECT_NEAR(ScheduledRate(settings, 50 * progress, 50), torch.at("rates")[i].get<double>(), 1e-12) << "step " << i;
  }
  EXPECT_DOUBLE_EQ(ScheduledRate(settings, 15, 50), 0.2);
  EXPECT_DOUBLE_EQ(ScheduledRate(settings, 50, 50), 0.2 / 25e4);
}

TEST(Schedule, ConstantAndPlateauDoNotFollowTheEpoch) {
  for (const char* name : {"constant", "plateau"}) {
    for (const double epoch : {0.0, 3.5, 9.99, 1000.0})
      EXPECT_EQ(ScheduledRate({.name = name, .learning_rate = 0.3}, epoch, 10), 0.3);
  }
}

TEST(Schedule, WarmUpIsTorchsSequentialLR) {
  for (const char* name : {"constant", "step", "cosine", "linear"}) {
    SCOPED_TRACE(name);
    ExpectTorchsRates({.name = name,
                       .learning_rate = 0.2,
                       .min_learning_rate = *name == 's' ? 0 : 0.002,
                       .warmup_epochs = 2,
                       .warmup_start_factor = 0.2,
                       .step_epochs = 2,
                       .step_factor = 0.3},
                      std::string("warm-up, ") + name);
  }
}

TEST(Schedule, WarmUpRisesFromNothingUnlessToldOtherwise) {
  const ScheduleSettings warm{.name = "plateau", .learning_rate = 0.1, .warmup_epochs = 2};
  EXPECT_EQ(ScheduledRate(warm, 0, 20), 0);
  EXPECT_DOUBLE_EQ(ScheduledRate(warm, 1.5, 20), 0.075);
  EXPECT_EQ(ScheduledRate(warm, 2, 20), 0.1);
}

TEST(Schedule, WarmUpMayTakeTheWholeRun) {
  const ScheduleSettings warm{.name = "linear", .learning_rate = 0.1, .warmup_epochs = 10};
  EXPECT_DOUBLE_EQ(ScheduledRate(warm, 4, 5), 0.04);
  EXPECT_DOUBLE_EQ(ScheduledRate(warm, 9, 10), 0.09);
}

TEST(Schedule, NeverGoesBelowTheLowestRate) {
  const ScheduleSettings step{
      .name = "step", .learning_rate = 0.1, .min_learning_rate = 0.01, .step_epochs = 1, .step_factor = 0.5};
  EXPECT_DOUBLE_EQ(ScheduledRate(step, 3, 100), 0.0125);
  EXPECT_EQ(ScheduledRate(step, 4, 100), 0.01);
  EXPECT_EQ(ScheduledRate(step, 99, 100), 0.01);
  // A minimum above the base is no reason to raise the rate.
  for (const char* name : {"step", "cosine", "linear"}) {
    EXPECT_EQ(ScheduledRate({.name = name, .learning_rate = 0.1, .min_learning_rate = 1}, 5, 10), 0.1) << name;
  }
}

TEST(Plateau, StaysAloneForOtherSchedules) {
  Plateau plateau;
  for (int i = 0; i < 100; ++i) ObserveLoss({.name = "cosine", .plateau_patience = 1}, 1.0, plateau);
  EXPECT_EQ(plateau.factor, 1);
  EXPECT_EQ(plateau.waited, 0);
}

// Keras' own sequences are in tests/parity; here is where it ends.
TEST(Plateau, EndsAtTheLowestRate) {
  const ScheduleSettings settings{
      .name = "plateau", .learning_rate = 0.1, .min_learning_rate = 0.03, .plateau_factor = 0.5, .plateau_patience = 1};
  Plateau plateau;
  std::vector<double> rates;
  for (int i = 0; i < 4; ++i) {
    ObserveLoss(settings, 1.0, plateau);
    rates.push_back(0.1 * plateau.factor);
  }
  EXPECT_DOUBLE_EQ(rates[0], 0.1);
  EXPECT_DOUBLE_EQ(rates[1], 0.05);
  EXPECT_DOUBLE_EQ(rates[2], 0.03);
  EXPECT_DOUBLE_EQ(rates[3], 0.03);
}

TEST(Schedule, NamesAreAllKnownToIt) {
  EXPECT_EQ(ScheduleNames(),
            (std::vector<std::string>{"constant", "plateau", "step", "cosine", "linear", "one-cycle"}));
}

}  // namespace
}  // namespace spotter
