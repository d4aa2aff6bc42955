// SPDX-License-Identifier: Apache-2.0
#include "train/profile.h"

#include <fmt/format.h>

#include <algorithm>

namespace spotter {
namespace {

struct Phase {
  const char* name;
  const char* text;
  double Profile::*seconds;
};

constexpr Phase kPhases[] = {
    {"loading", "loading the data", &Profile::loading},
    {"preparing", "preparing the network", &Profile::preparing},
    {"data", "images gathered and augmented", &Profile::data},
    {"forward", "forward", &Profile::forward},
    {"loss", "loss", &Profile::loss},
    {"backward", "backward", &Profile::backward},
    {"optimizer", "optimizer", &Profile::optimizer},
    {"validation", "validation", &Profile::validation},
    {"checkpoints", "checkpoints", &Profile::checkpoints},
    {"evaluation", "evaluation of the finished model", &Profile::evaluation},
    {"report", "report", &Profile::report},
};

double AllSeconds(const Profile& p) { return std::max({p.wall, p.seconds(), 1e-9}); }

double Gflops(double products, double seconds) { return seconds > 0 ? 2e-9 * products / seconds : 0; }

/// GFLOPS and their share of the peak; blank where there are hardly any products.
std::string RateText(double products, double seconds, double peak) {
  const double gflops = Gflops(products, seconds);
  return gflops > 0 ? fmt::format("{:>8.0f} {:>7.0f}%", gflops, 100 * gflops / peak) : fmt::format("{:17}", "");
}

std::string PhasesText(const Profile& p, double peak) {
  const double per_image = 1e6 / static_cast<double>(std::max<int64_t>(p.images, 1));
  std::string text = fmt::format("{:<44} {:>9} {:>7} {:>12} {:>8} {:>8}\n", "Phase", "seconds", "share", "us an image",
                                 "GFLOPS", "of peak");
  const auto row = [&](const char* name, double seconds, double products) {
    const std::string line =
        fmt::format("{:<44} {:>9.2f} {:>6.1f}% {:>12.1f} {}", name, seconds, 100 * seconds / AllSeconds(p),
                    per_image * seconds, RateText(products, seconds, peak));
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  };
  double forward = 0;
  double backward = 0;
  for (const StepCost& s : p.steps) {
    forward += s.forward_products;
    backward += s.backward_products;
  }
  for (const Phase& phase : kPhases) {
    const double products = phase.seconds == &Profile::forward    ? forward
                            : phase.seconds == &Profile::backward ? backward
                                                                  : 0;
    if (p.*phase.seconds > 0) row(phase.text, p.*phase.seconds, products);
  }
  if (p.wall > 0) row("everything else", std::max(0.0, p.wall - p.seconds()), 0);
  row("all", AllSeconds(p), 0);
  return text;
}

std::string StepsText(const Profile& p, double peak) {
  std::string text = fmt::format("{:<44} {:>9} {:>7} {:>8} {:>8} {:>10} {:>7} {:>8} {:>8}\n", "Step of the network",
                                 "forward s", "share", "GFLOPS", "of peak", "backward s", "share", "GFLOPS", "of peak");
  const double all = AllSeconds(p);
  for (const StepCost& s : p.steps) {
    const std::string line = fmt::format(
        "{:<44} {:>9.2f} {:>6.1f}% {} {:>10.2f} {:>6.1f}% {}", s.name, s.forward_seconds, 100 * s.forward_seconds / all,
        RateText(s.forward_products, s.forward_seconds, peak), s.backward_seconds, 100 * s.backward_seconds / all,
        RateText(s.backward_products, s.backward_seconds, peak));
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

}  // namespace

double Profile::seconds() const {
  double sum = 0;
  for (const Phase& phase : kPhases) sum += this->*phase.seconds;
  return sum;
}

Profile Joined(const Profile& run, const Profile& training) {
  Profile joined = training;
  for (const Phase& phase : kPhases) joined.*phase.seconds += run.*phase.seconds;
  joined.wall = run.wall;
  return joined;
}

std::string ProfileText(const Profile& p, double peak) {
  if (p.steps.empty())
    return PhasesText(p, peak) +
           "\nThe network's layers are timed one by one where our own kernels run: in bf16 on AVX-512 or AMX\n";
  return PhasesText(p, peak) + "\n" + StepsText(p, peak) +
         fmt::format(
             "\nGFLOPS: two a multiply-add of the plain algorithm, of which Winograd's (on AVX-512) needs up to four "
             "times fewer, so that it may be above the peak; this machine's peak, measured: {:.0f}\n",
             peak);
}

Json ProfileJson(const Profile& p, double peak) {
  Json phases = Json::object();
  for (const Phase& phase : kPhases) phases[phase.name] = p.*phase.seconds;
  Json json = {{"images", p.images}, {"seconds", AllSeconds(p)}, {"phases", phases}, {"peak_gflops", peak}};
  Json steps = Json::array();
  for (const StepCost& s : p.steps) {
    steps.push_back({{"name", s.name},
                     {"forward_seconds", s.forward_seconds},
                     {"forward_gflops", Gflops(s.forward_products, s.forward_seconds)},
                     {"backward_seconds", s.backward_seconds},
                     {"backward_gflops", Gflops(s.backward_products, s.backward_seconds)}});
  }
  json["steps"] = steps;
  return json;
}

}  // namespace spotter
