// SPDX-License-Identifier: Apache-2.0
#include "train/freeze.h"

#include <gtest/gtest.h>

#include <map>

#include "base/error.h"
#include "support/small_run.h"

namespace spotter {
namespace {

using Values = std::map<std::string, at::Tensor>;

/// The parameters after so many epochs of a run of three.
Values TrainedFor(int64_t epochs, const std::string& optimizer, const std::string& precision) {
  SmallRun run;
  run.precision = precision;
  run.settings.optimizer.name = optimizer;
  run.settings.optimizer.weight_decay = 0.01;
  run.settings.freeze_through = "batchnorm_1";
  run.settings.freeze_epoch = 1;
  run.settings.keep = "last";
  run.settings.epochs = epochs;
  run.Train();
  Values values;
  for (const Parameter* parameter : run.model->network.parameters()) {
    values[parameter->name] = parameter->value.detach().clone();
  }
  return values;
}

// Weight decay and momentum must not move what is frozen either.
TEST(Freeze, LayersInFrontStayAsTheyAre) {
  for (const char* precision : {"fp32", "bf16"}) {  // libtorch's autograd and, where they run, our own kernels
    for (const char* optimizer : {"adam", "adamw", "sgd", "muon"}) {
      SCOPED_TRACE(std::string(optimizer) + " " + precision);
      Values before = TrainedFor(1, optimizer, precision);
      const Values after = TrainedFor(3, optimizer, precision);
      for (const auto& [name, value] : after) {
        const bool frozen = name.starts_with("conv_1.") || name == "batchnorm_1.weight" || name == "batchnorm_1.bias";
        EXPECT_EQ(at::equal(value, before[name]), frozen) << name;  // its moving averages go on
      }
    }
  }
}

TEST(Freeze, LayersMustExistAndLeaveOneThatLearns) {
  const Network network("conv 4 3 relu, batchnorm, flatten, dense classes", {6, 6, 3}, 3);
  EXPECT_NO_THROW(CheckFreeze(network, "batchnorm_1"));
  EXPECT_NO_THROW(CheckFreeze(network, "flatten_1"));
  for (const char* name : {"dense_1", "conv_9", "none", ""}) {
    try {
      CheckFreeze(network, name);
      ADD_FAILURE() << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kUsage);
      EXPECT_EQ(std::string(error.what()).find("conv_1, batchnorm_1") != std::string::npos,
                std::string(name) != "dense_1")
          << error.what();
    }
  }
}

}  // namespace
}  // namespace spotter
