// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>

#include <map>

#include "base/base64.h"
#include "base/error.h"
#include "base/files.h"
#include "export/browser_program.h"
#include "models/activation.h"

namespace spotter {
namespace {

/// The values that a REF names, as fp32.
at::Tensor Values(const BrowserProgram& program, const Json& ref, at::ScalarType type) {
  const auto at = ref.at("at").get<size_t>();
  const auto count = ref.at("count").get<int64_t>();
  at::Tensor values = at::empty({count}, type);
  if (count < 0 || at > program.weights.size() || values.nbytes() > program.weights.size() - at)
    Fail(ExitCode::kModel, "the page's weights are cut short");
  std::memcpy(values.data_ptr(), program.weights.data() + at, values.nbytes());
  return values.to(at::kFloat);
}

/// x (N, C, H, W) with room on each side, so that windows of this step all lie inside.
at::Tensor Padded(const at::Tensor& x, const Json& step, double value) {
  const auto side = [&](const char* name, size_t axis) {
    const auto kernel = step.at("kernel")[axis].get<int64_t>(), before = step.at("pad")[axis].get<int64_t>();
    const auto needed = (step.at("out").at(name).get<int64_t>() - 1) * step.at("stride").get<int64_t>() + kernel;
    return std::pair(before, needed - before - step.at("in").at(name).get<int64_t>());
  };
  const auto [top, bottom] = side("height", 0);
  const auto [left, right] = side("width", 1);
  return at::constant_pad_nd(x, {left, right, top, bottom}, value);  // below 0: what no window reaches is cut off
}

std::vector<int64_t> Kernel(const Json& step) { return step.at("kernel").get<std::vector<int64_t>>(); }

at::Tensor Conv(const BrowserProgram& program, const Json& step, const at::Tensor& x) {
  const std::vector<int64_t> kernel = Kernel(step);
  const at::Tensor weight = Values(program, step.at("weight"), at::kHalf)
                                .view({kernel[0], kernel[1], x.size(1), step.at("outputs").get<int64_t>()})
                                .permute({3, 2, 0, 1});
  return at::conv2d(Padded(x, step, 0), weight, {}, step.at("stride").get<int64_t>());
}

at::Tensor Pool(const Json& step, const at::Tensor& x) {
  const auto stride = step.at("stride").get<int64_t>();
  if (step.at("do") == "maxpool")
    return at::max_pool2d(Padded(x, step, -std::numeric_limits<double>::infinity()), Kernel(step), stride);
  const at::Tensor sums = at::avg_pool2d(Padded(x, step, 0), Kernel(step), stride);
  return sums / at::avg_pool2d(Padded(at::ones_like(x), step, 0), Kernel(step), stride);
}

}  // namespace

at::Tensor RunBrowserProgram(const BrowserProgram& program, const at::Tensor& images) {
  const at::InferenceMode inference;
  at::Tensor x = images.permute({0, 3, 1, 2});
  std::map<int64_t, at::Tensor> skips;
  for (const Json& step : program.description.at("steps")) {
    const std::string what = step.at("do").get<std::string>();
    if (what == "conv") {
      x = Conv(program, step, x);
    } else if (what == "dense") {
      if (x.dim() == 4) x = x.permute({0, 2, 3, 1}).reshape({x.size(0), -1});
      x = at::matmul(x, Values(program, step.at("weight"), at::kHalf).view({x.size(1), -1}));
    } else if (what == "maxpool" || what == "avgpool") {
      x = Pool(step, x);
    } else if (what == "activation") {
      x = FindActivation(step.at("name").get<std::string>())->apply(x.clone());
    } else if (what == "scale") {
      x = x * step.at("factor").get<double>();
    } else if (what == "skip") {
      skips[step.at("slot").get<int64_t>()] = x;
    } else if (what == "add") {
      x = x + skips.at(step.at("slot").get<int64_t>());
    } else if (what != "affine") {
      Fail(ExitCode::kModel, "the page's step '{}' is not known", what);
    }
    const auto each = [&](const char* name) {  // one value a channel
      const at::Tensor values = Values(program, step.at(name), at::kFloat);
      return x.dim() == 4 ? values.view({1, -1, 1, 1}) : values;
    };
    if (what == "affine") x = x * each("scale") + each("shift");
    if (step.contains("bias")) x = x + each("bias");
  }
  return x.reshape({x.size(0), -1});
}

BrowserProgram ReadBrowserProgram(const std::filesystem::path& page) {
  const std::string html = ReadFile(page);
  const auto content = [&](const std::string& id) {
    const std::string mark = "id=\"" + id + "\">";
    const size_t begin = html.find(mark);
    const size_t end = html.find("</script>", begin);
    if (begin == std::string::npos || end == std::string::npos)
      Fail(ExitCode::kModel, "'{}' is no page of `spotter export --page`: it has no {}", page.string(), id);
    return std::string_view(html).substr(begin + mark.size(), end - begin - mark.size());
  };
  BrowserProgram program{.description = Json::parse(content("program"), nullptr, /*allow_exceptions=*/false),
                         .weights = DecodeBase64(content("weights")).value_or("")};
  if (!program.description.is_object() || program.weights.empty())
    Fail(ExitCode::kModel, "the program of '{}' is damaged", page.string());
  return program;
}

}  // namespace spotter
