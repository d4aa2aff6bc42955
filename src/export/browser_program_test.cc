// SPDX-License-Identifier: Apache-2.0
// The steps, computed by themselves, against the network. The page's own computing is tested in Chromium (tests/serve).
#include "export/browser_program.h"

#include "base/base64.h"
#include "base/error.h"
#include "evaluate/views.h"
#include "export/random_model.h"
#include "support/test_support.h"

namespace spotter {
namespace {

double Difference(const std::string& layers, const ImageShape& shape) {
  const Model model = RandomModel(layers, shape, 5);
  // What halves can hold, so that only the steps can differ.
  for (Parameter* parameter : model.network.parameters()) {
    if (parameter->value.dim() > 1) parameter->value.copy_(parameter->value.to(at::kHalf));
  }
  const at::Tensor x = at::randn({3, shape.height, shape.width, shape.channels});
  const at::Tensor found = RunBrowserProgram(ToBrowserProgram(model), x);
  const at::Tensor expected =
      model.network.Forward(x.permute({0, 3, 1, 2}), {.training = false, .precision = at::kFloat});
  EXPECT_EQ(found.sizes(), expected.sizes()) << layers;
  return ((found - expected).abs().max() / expected.abs().max()).item<double>();
}

TEST(BrowserProgram, ComputesEveryLayer) {
  for (const char* layers :
       {"conv 4 5x3 stride 2 same gelu, avgpool 3 stride 2 same, conv 3 same nobias silu, globalmaxpool, dense classes "
        "nobias",
        "conv 8 same, maxpool 3 stride 2 same, batchnorm noscale, scale 0.3, skip, conv 8 same elu, skip, leakyrelu, "
        "conv 8 1 same, add, add, dropout 0.5, avgpool 2, globalavgpool, batchnorm epsilon 0.1, dense 9 tanh, dense 5 "
        "sigmoid, dense classes",
        "conv whitening 2 gelu, conv 8 relu, batchnorm, maxpool 2, flatten, dense 7 relu, dense classes",
        "conv 6 stride 3, maxpool 2, conv 4 2 relu, flatten, dense classes"}) {
    EXPECT_LT(Difference(layers, {17, 20, 3}), 1e-5) << layers;
  }
  EXPECT_LT(Difference("flatten, dense classes", {4, 3, 1}), 1e-5);
}

TEST(BrowserProgram, ComesBackFromThePage) {
  const TemporaryFolder folder;
  const BrowserProgram program = ToBrowserProgram(RandomModel("conv 4 relu, flatten, dense classes", {6, 6, 3}, 3));
  WriteText(folder.path() / "page.html", "<script id=\"program\">" + DumpJson(program.description) +
                                             "</script><script id=\"weights\">" + EncodeBase64(program.weights) +
                                             "</script>");
  const BrowserProgram back = ReadBrowserProgram(folder.path() / "page.html");
  EXPECT_EQ(back.description, program.description);
  EXPECT_EQ(back.weights, program.weights);
  WriteText(folder.path() / "other.html", "<html></html>");
  EXPECT_THROW(ReadBrowserProgram(folder.path() / "other.html"), Error);
}

TEST(BrowserProgram, RefusesWeightsThatHalvesCantHold) {
  const Model model = RandomModel("flatten, dense classes", {2, 2, 3}, 3);
  model.network.parameters().front()->value.fill_(1e6);
  EXPECT_THROW(ToBrowserProgram(model), Error);
}

}  // namespace
}  // namespace spotter
