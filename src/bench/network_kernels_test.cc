// SPDX-License-Identifier: Apache-2.0
// What is timed side by side is the same operation; a recipe's network has the kernels that the engine joins.
#include "bench/network_kernels.h"

#include <gtest/gtest.h>

#include "engine/engine.h"
#include "kernels/cpu.h"
#include "models/zoo.h"

namespace spotter {
namespace {

std::vector<KernelCase> Kernels(const std::string& model, int64_t side = 32) {
  const Network network(ResolveModel(model), {side, side, 3}, 10);
  return KernelsOf(network, kErrorImages, 1);
}

std::vector<std::string> Names(const std::vector<KernelCase>& cases) {
  std::vector<std::string> names;
  for (const KernelCase& c : cases) names.push_back(c.kernel + ": " + c.shape);
  return names;
}

/// Ours against fp64: Winograd's transforms round, too; other weights' gradients stay fp32; some kernels only choose.
double OurBound(const std::string& kernel) {
  if (kernel.starts_with("max pool") || kernel.starts_with("relu")) return 0;
  if (kernel.starts_with("conv") && !kernels::CpuHasAmx()) return 1.5e-2;
  if (kernel.find("weight gradient") != std::string::npos || kernel.find("gradients") != std::string::npos) return 1e-5;
  return 3e-3;
}

TEST(NetworkKernels, AreThoseOfTheEngine) {
  const std::vector<std::string> seed = {"patch conv + bias + relu: 32x32x3 -> 64, 3x3 same",
                                         "patch conv + relu, gradients: 32x32x3 -> 64, 3x3 same",
                                         "batch norm + max pool: 32x32x64, window 2",
                                         "batch norm + max pool, gradient: 32x32x64, window 2",
                                         "conv + bias + relu: 16x16x64 -> 128, 3x3 same",
                                         "relu, gradient and bias gradient: 256 pixels x 128",
                                         "conv, data gradient: 16x16x64 -> 128, 3x3 same",
                                         "conv, weight gradient: 16x16x64 -> 128, 3x3 same",
                                         "batch norm + max pool: 16x16x128, window 2",
                                         "batch norm + max pool, gradient: 16x16x128, window 2",
                                         "conv + bias + relu: 8x8x128 -> 256, 3x3 same",
                                         "relu, gradient and bias gradient: 64 pixels x 256",
                                         "conv, data gradient: 8x8x128 -> 256, 3x3 same",
                                         "conv, weight gradient: 8x8x128 -> 256, 3x3 same",
                                         "batch norm + max pool: 8x8x256, window 2",
                                         "batch norm + max pool, gradient: 8x8x256, window 2",
                                         "dense: 4096 -> 256",
                                         "dense, data gradient: 4096 -> 256",
                                         "dense, weight gradient: 4096 -> 256",
                                         "dropout: 256 values, rate 0.5",
                                         "dense: 256 -> 128",
                                         "dense, data gradient: 256 -> 128",
                                         "dense, weight gradient: 256 -> 128",
                                         "dropout: 128 values, rate 0.5",
                                         "dense: 128 -> 10",
                                         "dense, data gradient: 128 -> 10",
                                         "dense, weight gradient: 128 -> 10"};
  EXPECT_EQ(Names(Kernels("seed-003")), seed);
  const auto speed = Names(Kernels("speed"));
  // A whitening convolution is not trained; a pool and a gelu are joined; the same shape counts once.
  EXPECT_EQ(speed[0], "patch conv + bias + gelu: 32x32x3 -> 24, 2x2 valid");
  EXPECT_EQ(speed[1], "conv: 31x31x24 -> 64, 3x3 same, pool");
  EXPECT_EQ(speed[4], "batch norm + gelu: 15x15x64");
  EXPECT_EQ(speed[6], "conv: 15x15x64 -> 64, 3x3 same");
  EXPECT_EQ(speed[9], "conv: 15x15x64 -> 256, 3x3 same, pool");
}

TEST(NetworkKernels, ComputeWhatLibtorchDoes) {
  if (!Engine::RunsHere()) GTEST_SKIP() << "this processor has no AVX-512 bf16";
  at::manual_seed(1);
  for (const char* model :
       {"conv 32 2 gelu, conv 64 same, maxpool 2, batchnorm, gelu, conv 32 same, batchnorm, silu, maxpool 3, dropout "
        "0.3, flatten, dense classes",
        "conv 32 valid, relu, maxpool 2, conv 64 valid relu, maxpool 2, batchnorm, relu, skip, conv 64 same, add, "
        "gelu, "
        "flatten, dense classes"}) {
    for (const KernelCase& c : Kernels(model)) {
      const KernelCalls calls = c.make();
      const at::Tensor ours = calls.ours();
      const at::Tensor libtorch = calls.libtorch(at::kBFloat16);
      const at::Tensor exact = calls.libtorch(at::kDouble);
      ASSERT_EQ(ours.sizes(), exact.sizes()) << c.kernel << ", " << c.shape;
      if (c.random) continue;
      EXPECT_EQ(exact.scalar_type(), at::kDouble) << c.kernel << ", " << c.shape;
      EXPECT_LE(RelativeError(ours, exact), OurBound(c.kernel)) << c.kernel << ", " << c.shape;
      EXPECT_LT(RelativeError(libtorch, exact), 0.01) << c.kernel << ", " << c.shape;
    }
  }
}

TEST(NetworkKernels, AreTimedOnceForAllNetworks) {
  if (!Engine::RunsHere()) GTEST_SKIP() << "this processor has no AVX-512 bf16";
  const Network small("conv 8 relu, maxpool 2, flatten, dense classes", {12, 12, 3}, 10);
  const Network larger("conv 8 relu, maxpool 2, conv 16 relu, flatten, dense classes", {12, 12, 3}, 10);
  std::vector<int64_t> done;
  const auto speeds =
      TimeKernels({{"small", small, 4}, {"larger", larger, 4}}, 1, {.warm_up = 0, .least = 2, .most = 2, .seconds = 0},
                  [&](const std::string&, int64_t n, int64_t) { done.push_back(n); });
  EXPECT_EQ(speeds.size(), 14U);
  EXPECT_EQ(done.size(), 14U);
  for (const KernelSpeed& s : speeds) {
    EXPECT_EQ(s.recipe,
              s.kernel.starts_with("conv") || s.shape == "9 pixels x 16" || s.shape == "144 -> 10" ? "larger" : "small")
        << s.kernel;
    EXPECT_EQ(s.ratio.n, 2);
    EXPECT_GT(s.ms.median, 0);
    EXPECT_NE(s.gflops.has_value(), s.gb_per_second.has_value()) << s.kernel;
    EXPECT_TRUE(s.error.has_value() && *s.error < 0.015) << s.kernel;
  }
}

}  // namespace
}  // namespace spotter
