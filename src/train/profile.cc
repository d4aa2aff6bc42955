// SPDX-License-Identifier: Apache-2.0
#include "train/profile.h"

#include <fmt/format.h>

#include <algorithm>

namespace spotter {
namespace {

std::string Gflops(double products, double seconds) {
  return products > 0 && seconds > 0 ? fmt::format("{:.0f}", 2e-9 * products / seconds) : "";
}

}  // namespace

std::string ProfileText(const Profile& p) {
  const double all = std::max(p.seconds(), 1e-9);
  const double per_image = 1e6 / static_cast<double>(std::max<int64_t>(p.images, 1));
  std::string text = fmt::format("{:<44} {:>9} {:>7} {:>12}\n", "Phase", "seconds", "share", "us an image");
  const auto row = [&](const std::string& name, double seconds) {
    text +=
        fmt::format("{:<44} {:>9.2f} {:>6.1f}% {:>12.1f}\n", name, seconds, 100 * seconds / all, per_image * seconds);
  };
  row("data: gathered and augmented", p.data);
  row("forward", p.forward);
  row("loss", p.loss);
  row("backward", p.backward);
  row("optimizer", p.optimizer);
  row("all", p.seconds());
  if (p.steps.empty()) return text;
  text += fmt::format("\n{:<44} {:>9} {:>7} {:>8} {:>9} {:>7} {:>8}\n", "Step of the network", "forward s", "share",
                      "GFLOPS", "backward s", "share", "GFLOPS");
  for (const StepCost& s : p.steps) {
    text +=
        fmt::format("{:<44} {:>9.2f} {:>6.1f}% {:>8} {:>9.2f} {:>6.1f}% {:>8}\n", s.name, s.forward_seconds,
                    100 * s.forward_seconds / all, Gflops(s.forward_products, s.forward_seconds), s.backward_seconds,
                    100 * s.backward_seconds / all, Gflops(s.backward_products, s.backward_seconds));
  }
  return text;
}

}  // namespace spotter
