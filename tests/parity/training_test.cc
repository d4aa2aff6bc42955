// SPDX-License-Identifier: Apache-2.0
// Training against Keras: optimizer steps, batch norm in training, the plateau schedule and the loss. Fixtures as in
// parity_test.cc.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "optimize/optimizer.h"
#include "optimize/schedule.h"
#include "parity/formula.h"
#include "train/train_step.h"

namespace spotter::parity {
namespace {

using Vector = std::vector<double>;

const Json& Training() {
  static const Json training = ReadParity("training.json");
  return training;
}

/// A kernel of six weights that gets the recorded gradients; the weights after each step.
std::vector<Vector> OurSteps(const Json& recorded, const OptimizerSettings& settings) {
  Parameter kernel{.name = "w",
                   .role = ParameterRole::kKernel,
                   .value = at::tensor(Training().at("weights").get<std::vector<float>>())};
  kernel.value.set_requires_grad(true);
  const auto optimizer = MakeOptimizer(settings, {&kernel});
  std::vector<Vector> after;
  for (size_t step = 0; step < Training().at("gradients").size(); ++step) {
    kernel.value.mutable_grad() = at::tensor(Training().at("gradients")[step].get<std::vector<float>>());
    const Json& rate =
        recorded.contains("learning_rates") ? recorded.at("learning_rates")[step] : recorded.at("learning_rate");
    optimizer->Step({rate.get<double>()});
    EXPECT_FALSE(kernel.value.grad().defined());
    const at::Tensor values = kernel.value.detach();
    after.emplace_back(values.data_ptr<float>(), values.data_ptr<float>() + values.numel());
  }
  return after;
}

/// Adam in double. Keras adds epsilon to sqrt(v), PyTorch to sqrt(v_hat): the one difference that optimizer.h admits.
enum class EpsilonGoesTo { kRootOfV, kRootOfVHat };
std::vector<Vector> AdamInDouble(const Json& recorded, EpsilonGoesTo place) {
  const double rate = recorded.at("learning_rate"), beta1 = recorded.at("beta_1"), beta2 = recorded.at("beta_2");
  const double epsilon = recorded.at("epsilon"), decay = recorded.value("weight_decay", 0.0);
  Vector w = Training().at("weights"), m(w.size()), v(w.size());
  std::vector<Vector> after;
  for (size_t step = 0; step < Training().at("gradients").size(); ++step) {
    const Vector gradient = Training().at("gradients")[step];
    const double correction1 = 1 - std::pow(beta1, step + 1.0),
                 correction2 = std::sqrt(1 - std::pow(beta2, step + 1.0));
    for (size_t i = 0; i < w.size(); ++i) {
      w[i] -= rate * decay * w[i];
      m[i] = beta1 * m[i] + (1 - beta1) * gradient[i];
      v[i] = beta2 * v[i] + (1 - beta2) * gradient[i] * gradient[i];
      const double epsilon_here = place == EpsilonGoesTo::kRootOfV ? epsilon / correction2 : epsilon;
      w[i] -= rate * (m[i] / correction1) / (std::sqrt(v[i]) / correction2 + epsilon_here);
    }
    after.push_back(w);
  }
  return after;
}

void ExpectClose(const std::vector<Vector>& a, const std::vector<Vector>& b, double bound) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t step = 0; step < a.size(); ++step) {
    ASSERT_EQ(a[step].size(), b[step].size());
    for (size_t i = 0; i < a[step].size(); ++i)
      EXPECT_NEAR(a[step][i], b[step][i], bound) << "step " << step << ", weight " << i;
  }
}

const Json& Recorded(const std::string& name) {
  for (const Json& recorded : Training().at("optimizers")) {
    if (recorded.at("name") == name) return recorded;
  }
  throw std::runtime_error("no optimizer " + name);
}

class AdamSteps : public testing::TestWithParam<const char*> {};

TEST_P(AdamSteps, AreKerasButForThePlaceOfEpsilon) {
  const Json& recorded = Recorded(GetParam());
  const std::vector<Vector> keras = recorded.at("after");
  const auto ours = OurSteps(recorded, {.name = GetParam(),
                                        .weight_decay = recorded.value("weight_decay", 0.0),
                                        .beta1 = recorded.at("beta_1"),
                                        .beta2 = recorded.at("beta_2"),
                                        .epsilon = recorded.at("epsilon")});
  constexpr double kFp32 = 1e-6;  // five steps of rounding at values around 1
  ExpectClose(AdamInDouble(recorded, EpsilonGoesTo::kRootOfV), keras, kFp32);
  ExpectClose(AdamInDouble(recorded, EpsilonGoesTo::kRootOfVHat), ours, kFp32);
  // Where gradients are far above epsilon (all but weight 4) the place does not matter.
  for (size_t step = 0; step < keras.size(); ++step) {
    for (size_t i = 0; i < keras[step].size(); ++i) {
      EXPECT_NEAR(ours[step][i], keras[step][i], i == 4 ? 2e-2 : 5e-6) << "step " << step << ", weight " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Keras, AdamSteps, testing::Values("adam", "adamw"),
                         [](const auto& info) { return std::string(info.param); });

TEST(SgdSteps, AreKeras) {
  for (const char* name : {"sgd-nesterov", "sgd-momentum", "sgd-nesterov-drop"}) {
    SCOPED_TRACE(name);
    const Json& recorded = Recorded(name);
    std::vector<Vector> keras = recorded.at("after");
    auto ours =
        OurSteps(recorded, {.name = "sgd", .momentum = recorded.at("momentum"), .nesterov = recorded.at("nesterov")});
    if (recorded.contains("learning_rates")) {
      // Keras' velocity has the learning rate in it, PyTorch's (and ours) has not, so that they part when the rate
      // changes: at step 2.
      keras.resize(2);
      ours.resize(2);
    }
    ExpectClose(ours, keras, 1e-6);
  }
}

TEST(BatchNormInTraining, IsKerasButForTheMovingVariance) {
  const Json& recorded = Training().at("batchnorm");
  const std::vector<int64_t> shape = recorded.at("input_shape");  // (N, H, W, C)
  Network network("batchnorm, flatten, dense classes", {shape[1], shape[2], shape[3]}, 2);
  Layer& layer = *network.layers().front();
  for (Parameter& parameter : layer.parameters()) parameter.value.copy_(KerasWeight(KerasName(parameter), {shape[3]}));
  at::Tensor x = at::empty(shape);
  for (int64_t i = 0; i < x.numel(); ++i)
    x.data_ptr<float>()[i] = static_cast<float>(4 * Unit("batchnorm_input", i) - 1);
  for (int i = 0; i < 3; ++i) EXPECT_FLOAT_EQ(x.data_ptr<float>()[i], recorded.at("first_inputs")[i].get<float>());

  const at::Tensor y = layer.Forward(x.permute({0, 3, 1, 2}), {.training = true}).permute({0, 2, 3, 1}).contiguous();
  const std::vector<float> output = recorded.at("output");
  ASSERT_EQ(static_cast<size_t>(y.numel()), output.size());
  for (size_t i = 0; i < output.size(); ++i) EXPECT_NEAR(y.data_ptr<float>()[i], output[i], 1e-5) << i;

  const auto value = [&](size_t i) { return layer.parameters()[i].value.data_ptr<float>(); };
  ASSERT_EQ(layer.parameters()[2].role, ParameterRole::kMean);
  ASSERT_EQ(layer.parameters()[3].role, ParameterRole::kVariance);
  ASSERT_EQ(recorded.at("moving_variance_divides_by"), "n");
  const double n = recorded.at("values_per_channel");
  for (size_t c = 0; c < 2; ++c) {
    EXPECT_NEAR(value(2)[c], recorded.at("moving_mean")[c].get<double>(), 1e-6);
    const double before = recorded.at("weights").at("moving_variance")[c];
    const double keras = recorded.at("moving_variance")[c];
    const double moved_by_keras = keras - 0.99 * before;                   // 0.01 * the biased variance
    const double expected = 0.99 * before + moved_by_keras * n / (n - 1);  // layers.h: ours is unbiased
    EXPECT_NEAR(value(3)[c], expected, 1e-6);
    EXPECT_GT(value(3)[c] - keras, 1e-4);
  }
}

TEST(Plateau, IsKerasReduceLROnPlateau) {
  int compared = 0;
  for (const Json& recorded : Training().at("reduce_on_plateau")) {
    if (recorded.at("cooldown") != 0) continue;  // we have none
    ASSERT_EQ(recorded.at("min_delta"), 1e-4);
    const ScheduleSettings settings{.name = "plateau",
                                    .learning_rate = recorded.at("learning_rate"),
                                    .min_learning_rate = recorded.at("min_lr"),
                                    .plateau_factor = recorded.at("factor"),
                                    .plateau_patience = recorded.at("patience")};
    Plateau plateau;
    for (size_t epoch = 0; epoch < recorded.at("val_losses").size(); ++epoch) {
      ObserveLoss(settings, recorded.at("val_losses")[epoch], plateau);
      const double keras = recorded.at("after")[epoch];
      EXPECT_NEAR(ScheduledRate(settings, epoch + 1.0, 100) * plateau.factor, keras, 1e-6 * keras)
          << "epoch " << epoch + 1;
    }
    ++compared;
  }
  EXPECT_EQ(compared, 2);
}

/// A data set and a network that give these logits: image i is white at pixel i and black elsewhere, and weight column
/// i is row i.
struct LogitsByHand {
  explicit LogitsByHand(const Json& recorded)
      : pixels(new uint8_t[16]()), network("flatten, dense classes", {2, 2, 1}, 4) {
    data.shape = preprocessing.shape = {2, 2, 1};
    data.classes = {"a", "b", "c", "d"};
    data.labels = recorded.at("labels").get<std::vector<int32_t>>();
    for (int i = 0; i < 4; ++i) pixels.get()[5 * i] = 255;
    data.pixels = pixels;
    network.parameters()[0]->value.copy_(ToTensor(recorded.at("logits")).t());
    network.parameters()[1]->value.zero_();
  }
  std::shared_ptr<uint8_t[]> pixels;
  Dataset data;
  Preprocessing preprocessing;
  Network network;
};

TEST(Loss, IsKerasCategoricalCrossentropy) {
  for (const Json& recorded : Training().at("cross_entropy")) {
    SCOPED_TRACE(recorded.at("label_smoothing").get<double>());
    LogitsByHand hand(recorded);
    const auto optimizer = MakeOptimizer({.name = "sgd"}, hand.network.parameters());
    TrainStep step({.data = hand.data,
                    .preprocessing = hand.preprocessing,
                    .network = hand.network,
                    .optimizer = *optimizer,
                    .augmentation = {},
                    .compute = {},
                    .label_smoothing = recorded.at("label_smoothing"),
                    .class_weights = {}});
    const std::vector<int64_t> all = {0, 1, 2, 3};
    for (const int64_t i : all) {
      const double keras = recorded.at("each")[static_cast<size_t>(i)];
      EXPECT_NEAR(step.Run(std::vector{i}, 0, 0, /*rate=*/{0}).loss, keras, 1e-6 * (1 + keras)) << i;
    }
    const double keras = recorded.at("mean");
    EXPECT_NEAR(step.Run(all, 0, 0, /*rate=*/{0}).loss, keras, 1e-6 * keras);
  }
}

}  // namespace
}  // namespace spotter::parity
