// SPDX-License-Identifier: Apache-2.0
// Sequences of steps against Keras are in tests/parity; here is what they can't show.
#include "optimize/optimizer.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace spotter {
namespace {

struct Parameters {
  Parameters() {
    for (const ParameterRole role : {ParameterRole::kKernel, ParameterRole::kBias, ParameterRole::kScale,
                                     ParameterRole::kMean, ParameterRole::kVariance}) {
      list.push_back({.name = "p" + std::to_string(list.size()), .role = role, .value = at::full({3}, 2.0f)});
    }
    for (Parameter& parameter : list) {
      parameter.value.set_requires_grad(parameter.trainable());
      pointers.push_back(&parameter);
    }
  }
  void SetGradients(double value) {
    for (Parameter& parameter : list) {
      if (parameter.trainable()) parameter.value.mutable_grad() = at::full({3}, value, at::kFloat);
    }
  }
  float Value(size_t i) const { return list[i].value.detach().data_ptr<float>()[0]; }
  std::vector<Parameter> list;
  std::vector<Parameter*> pointers;
};

TEST(Optimizer, DecaysKernelsOnlyAndLeavesMovingAveragesAlone) {
  for (const std::string& name : OptimizerNames()) {
    if (name == "muon") continue;  // it decays biases too: tests/parity
    SCOPED_TRACE(name);
    Parameters parameters;
    const auto optimizer = MakeOptimizer({.name = name, .weight_decay = 0.5}, parameters.pointers);
    parameters.SetGradients(0);
    optimizer->Step({0.1});
    EXPECT_LT(parameters.Value(0), 2.0f);
    for (size_t i = 1; i < 5; ++i) EXPECT_EQ(parameters.Value(i), 2.0f) << i;
  }
}

TEST(Optimizer, DropsTheGradientsAfterAStep) {
  for (const std::string& name : OptimizerNames()) {
    Parameters parameters;
    const auto optimizer = MakeOptimizer({.name = name}, parameters.pointers);
    parameters.SetGradients(1);
    optimizer->Step({0.1});
    for (const Parameter& parameter : parameters.list) EXPECT_FALSE(parameter.value.grad().defined());
  }
}

// sgd without momentum: w - rate * (gradient + decay * w).
TEST(Optimizer, SgdWithoutMomentumIsPlainDescent) {
  for (const bool nesterov : {false, true}) {
    Parameters parameters;
    const auto optimizer =
        MakeOptimizer({.name = "sgd", .weight_decay = 0.5, .momentum = 0, .nesterov = nesterov}, parameters.pointers);
    for (int i = 0; i < 2; ++i) {
      parameters.SetGradients(1);
      optimizer->Step({0.1});
    }
    EXPECT_FLOAT_EQ(parameters.Value(0), (2 - 0.2f) - 0.1f * (1 + 0.5f * 1.8f));
    EXPECT_FLOAT_EQ(parameters.Value(1), 1.8f);
  }
}

// d c / d w = 2, w = 2: with the group's rate r and the decay d of a kernel at the rate l, a bias moves by r * (2 + d l
// / r * 2).
TEST(Optimizer, SgdGivesBiasesARateAndAShareOfTheDecay) {
  Parameters parameters;
  const auto optimizer = MakeOptimizer({.name = "sgd", .weight_decay = 0.5, .momentum = 0, .bias_learning_rate = 0.4},
                                       parameters.pointers);
  parameters.SetGradients(2);
  optimizer->Step({.learning_rate = 0.05, .factor = 0.5});  // the rate before the schedule: 0.1
  EXPECT_FLOAT_EQ(parameters.Value(0), 2 - 0.05f * (2 + 0.5f * 2));
  EXPECT_FLOAT_EQ(parameters.Value(1), 2 - 0.2f * (2 + 0.5f * 0.1f / 0.4f * 2));
}

TEST(Optimizer, TrainsAWhiteningBiasForItsEpochs) {
  for (const char* name : {"sgd", "muon"}) {
    Parameter bias{.name = "b", .role = ParameterRole::kWhiteningBias, .value = at::full({1}, 1.0f)};
    bias.value.set_requires_grad(true);
    const auto optimizer =
        MakeOptimizer({.name = name, .momentum = 0, .bias_learning_rate = 0.1, .whitening_bias_epochs = 0.5}, {&bias});
    const auto step = [&](double epoch) {
      bias.value.mutable_grad() = at::ones({1});
      optimizer->Step({.learning_rate = 0.001, .factor = 0.01, .epoch = epoch});
      EXPECT_FALSE(bias.value.grad().defined());
      return bias.value.item<float>();
    };
    EXPECT_FLOAT_EQ(step(0), 0.9f) << "its rate follows no schedule but its own";
    EXPECT_FLOAT_EQ(step(0.25), 0.85f);
    EXPECT_TRUE(bias.value.requires_grad());
    EXPECT_FLOAT_EQ(step(0.5), 0.85f);
    EXPECT_FALSE(bias.value.requires_grad());
  }
}

// What it does next depends on the weights and on State() alone: that is what a checkpoint keeps.
TEST(Optimizer, GoesOnFromItsState) {
  for (const std::string& name : OptimizerNames()) {
    SCOPED_TRACE(name);
    Parameters whole, first, second;
    const OptimizerSettings settings{.name = name, .weight_decay = 0.1, .lookahead = 2};
    const auto run = [](Optimizer& optimizer, Parameters& parameters, int begin, int end) {
      for (int i = begin; i < end; ++i) {
        parameters.SetGradients(0.1 * (i + 1) - 0.35);
        optimizer.Step({.learning_rate = 0.01, .progress = (i + 1) / 6.0});
      }
    };
    const auto a = MakeOptimizer(settings, whole.pointers), b = MakeOptimizer(settings, first.pointers),
               c = MakeOptimizer(settings, second.pointers);
    run(*a, whole, 0, 6);
    run(*b, first, 0, 3);
    auto from = b->State(), to = c->State();
    ASSERT_EQ(from.size(), to.size());
    ASSERT_FALSE(from.empty());
    for (size_t i = 0; i < from.size(); ++i) {
      EXPECT_EQ(from[i].first, to[i].first);
      to[i].second.copy_(from[i].second);
    }
    for (size_t i = 0; i < 5; ++i) second.list[i].value.detach().copy_(first.list[i].value.detach());
    run(*c, second, 3, 6);
    for (size_t i = 0; i < 5; ++i) EXPECT_EQ(second.Value(i), whole.Value(i)) << i;
    EXPECT_NE(whole.Value(0), first.Value(0));
  }
}

TEST(Optimizer, NamesItsState) {
  Parameters parameters;
  std::vector<std::string> names;
  for (const auto& [name, tensor] : MakeOptimizer({.name = "adam"}, parameters.pointers)->State())
    names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"exp_avg/p0", "exp_avg_sq/p0", "step/p0", "exp_avg/p1", "exp_avg/p2",
                                             "exp_avg_sq/p1", "exp_avg_sq/p2", "step/p1", "step/p2"}));
}

TEST(Optimizer, AnotherNameIsAUsageError) {
  Parameters parameters;
  try {
    MakeOptimizer({.name = "adagrad"}, parameters.pointers);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
    EXPECT_NE(std::string(error.what()).find("adam, adamw, muon, sgd"), std::string::npos);
  }
}

}  // namespace
}  // namespace spotter
