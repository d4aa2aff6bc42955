// SPDX-License-Identifier: Apache-2.0
#include "optimize/freeze_out.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace spotter {
namespace {

bool Learns(const std::vector<Parameter*>& parameters) {
  return std::any_of(parameters.begin(), parameters.end(), [](const Parameter* p) { return p->trainable(); });
}

/// The layers that learn, but for the last: behind each of them a network can be cut.
std::vector<std::string> PossibleCuts(const Network& network) {
  std::vector<std::string> names;
  for (const auto& layer : network.layers()) {
    const auto& own = layer->parameters();
    if (std::any_of(own.begin(), own.end(), [](const Parameter& p) { return p.trainable(); }))
      names.push_back(layer->name());
  }
  if (!names.empty()) names.pop_back();
  return names;
}

}  // namespace

Cut CutBehind(const Network& network, const std::string& name) {
  Cut cut;
  bool behind = false;
  for (const auto& layer : network.layers()) {
    for (Parameter& parameter : layer->parameters()) (behind ? cut.rest : cut.front).push_back(&parameter);
    behind = behind || layer->name() == name;
  }
  if (behind && Learns(cut.front) && Learns(cut.rest)) return cut;
  const auto possible = PossibleCuts(network);
  Fail(ExitCode::kUsage, "--freeze-through {}: {}; {}", Printable(name),
       !behind             ? "the network has no layer of that name"
       : Learns(cut.front) ? "no layer after it learns"
                           : "no layer up to it learns",
       possible.empty() ? "give none" : "give none, or one of " + Join(possible, ", "));
}

FreezeOut::FreezeOut(const Cut& parameters, double share, const OptimizerSettings& settings,
                     const ScheduleSettings& schedule, double epochs, at::ScalarType products)
    : front_parameters_(parameters.front),
      share_(share),
      schedule_(schedule),
      epochs_(epochs),
      front_(MakeOptimizer(settings, parameters.front, products)),
      rest_(MakeOptimizer(settings, parameters.rest, products)) {}

void FreezeOut::Step(const StepRate& rate) {
  rest_->Step(rate);
  if (rate.epoch < share_ * epochs_) {
    StepRate shorter = rate;
    if (FollowsEpochs(schedule_)) {
      shorter.learning_rate = ScheduledRate(schedule_, rate.epoch, share_ * epochs_);
      shorter.factor = shorter.learning_rate / schedule_.learning_rate;
    }
    shorter.progress = std::min(1.0, rate.progress / share_);
    front_->Step(shorter);
    return;
  }
  for (Parameter* parameter : front_parameters_) {
    parameter->value.set_requires_grad(false);
    parameter->value.mutable_grad().reset();
  }
}

std::vector<std::pair<std::string, at::Tensor>> FreezeOut::State() {
  auto state = rest_->State();
  for (const auto& [name, tensor] : front_->State()) state.emplace_back("front/" + name, tensor);
  return state;
}

}  // namespace spotter
