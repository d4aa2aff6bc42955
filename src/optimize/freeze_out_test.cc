// SPDX-License-Identifier: Apache-2.0
#include "optimize/freeze_out.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "base/error.h"

namespace spotter {
namespace {

constexpr int kEpochs = 4;
constexpr int kSteps = 5;  // of an epoch

/// Two parts: a filter with its bias and a whitening in front of it, and a filter, a moving mean and a dense kernel.
struct Parameters {
  Parameters() {
    const auto add = [&](std::vector<Parameter*>& part, const char* name, ParameterRole role, size_t dimensions = 1) {
      std::vector<int64_t> shape(dimensions, 1);
      shape[0] = 2;
      list.push_back({.name = name, .role = role, .value = at::full(shape, 1.0f)});
      list.back().value.set_requires_grad(list.back().trainable());
      part.push_back(&list.back());
    };
    add(cut.front, "whitening.weight", ParameterRole::kWhitening);
    add(cut.front, "whitening.bias", ParameterRole::kWhiteningBias);
    add(cut.front, "a.weight", ParameterRole::kKernel, 4);
    add(cut.front, "a.bias", ParameterRole::kBias);
    add(cut.rest, "b.weight", ParameterRole::kKernel, 4);
    add(cut.rest, "b.running_mean", ParameterRole::kMean);
    add(cut.rest, "c.weight", ParameterRole::kKernel, 2);
  }
  void SetGradients(int step) {
    for (Parameter& parameter : list) {
      if (parameter.value.requires_grad())
        parameter.value.mutable_grad() =
            at::tensor({0.3f - 0.05f * static_cast<float>(step), 0.2f}).view(parameter.value.sizes());
    }
  }
  std::deque<Parameter> list;
  Cut cut;
};

StepRate RateOf(const ScheduleSettings& schedule, int step, double epochs) {
  const double epoch = static_cast<double>(step) / kSteps;
  const double plateau = schedule.name == "plateau" ? 0.3 : 1;  // the trainer's factor after a while
  const double rate = ScheduledRate(schedule, epoch, epochs) * plateau;
  return {.learning_rate = rate,
          .factor = rate / schedule.learning_rate,
          .epoch = epoch,
          .progress = std::min(1.0, (step + 1) / (epochs * kSteps))};
}

/// What an optimizer of its own makes of a part in a training of so many epochs.
void ExpectTrainedAlone(const std::vector<Parameter*>& found, std::vector<Parameter*> Cut::*part, int epochs,
                        const OptimizerSettings& settings, const ScheduleSettings& schedule) {
  Parameters alone;
  const auto optimizer = MakeOptimizer(settings, alone.cut.*part);
  for (int step = 0; step < epochs * kSteps; ++step) {
    alone.SetGradients(step);
    optimizer->Step(RateOf(schedule, step, epochs));
  }
  for (size_t i = 0; i < found.size(); ++i) {
    const Parameter& expected = *(alone.cut.*part)[i];
    EXPECT_TRUE(at::equal(found[i]->value, expected.value)) << expected.name;
    EXPECT_EQ(at::equal(expected.value, at::ones_like(expected.value)), !expected.trainable()) << "what learns moves";
  }
}

TEST(FreezeOut, TheFrontIsTrainedAsIfTrainingEndedWhereItStops) {
  for (const std::string& name : OptimizerNames()) {
    for (const std::string& form : ScheduleNames()) {
      SCOPED_TRACE(name + " " + form);
      const ScheduleSettings schedule{.name = form, .learning_rate = 0.1, .warmup_epochs = 0.5, .step_epochs = 1};
      const OptimizerSettings settings{.name = name,
                                       .weight_decay = 0.01,
                                       .bias_learning_rate = 0.3,
                                       .whitening_bias_epochs = 1,
                                       .lookahead = name == "sgd" ? 2 : 0};
      Parameters all;
      FreezeOut freeze_out(all.cut, 0.5, settings, schedule, kEpochs);
      for (int step = 0; step < kEpochs * kSteps; ++step) {
        all.SetGradients(step);
        freeze_out.Step(RateOf(schedule, step, kEpochs));
        for (const Parameter& parameter : all.list) EXPECT_FALSE(parameter.value.grad().defined());
      }
      ExpectTrainedAlone(all.cut.front, &Cut::front, kEpochs / 2, settings, schedule);
      ExpectTrainedAlone(all.cut.rest, &Cut::rest, kEpochs, settings, schedule);
      for (const Parameter* parameter : all.cut.front) EXPECT_FALSE(parameter->value.requires_grad());
      EXPECT_TRUE(all.cut.rest[0]->value.requires_grad());
    }
  }
}

TEST(FreezeOut, CutsANetworkBehindALayer) {
  const Network network("conv 4 3 relu, batchnorm, flatten, dense classes", {6, 6, 3}, 3);
  for (const char* name : {"batchnorm_1", "flatten_1"}) {
    const Cut cut = CutBehind(network, name);
    EXPECT_EQ(cut.front.size(), 6u) << name;  // conv: 2, batch norm: 4
    ASSERT_EQ(cut.rest.size(), 2u) << name;
    EXPECT_EQ(cut.rest[0]->name, "dense_1.weight");
  }
  for (const char* name : {"dense_1", "conv_9", "none", ""}) {
    try {
      CutBehind(network, name);
      ADD_FAILURE() << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kUsage);
      EXPECT_NE(std::string(error.what()).find("one of conv_1, batchnorm_1"), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace spotter
