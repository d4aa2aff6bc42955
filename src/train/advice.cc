// SPDX-License-Identifier: Apache-2.0
// Each rule is a function that gives a sentence or nothing. Thresholds are such that the five seed recipes, which
// learn, hear nothing of not learning (advice_test.cc).
#include "train/advice.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

namespace spotter {
namespace {

struct Facts {
  const std::vector<EpochRecord>& history;
  const TrainSettings& settings;
  const std::vector<int64_t>& train_counts;
  const std::vector<int64_t>& validation_counts;

  const EpochRecord& last() const { return history.back(); }
  double classes() const { return static_cast<double>(train_counts.size()); }
};

using Finding = std::optional<std::string>;

double LargestShare(const std::vector<int64_t>& counts) {
  const auto sum = std::accumulate(counts.begin(), counts.end(), int64_t{0});
  return sum == 0 ? 0 : static_cast<double>(*std::max_element(counts.begin(), counts.end())) / static_cast<double>(sum);
}

double SmallerRate(const Facts& f) { return f.settings.schedule.learning_rate / 10; }

bool FarAbove(double loss, double guessing) { return loss > 10 * guessing; }

/// As where a recipe's rates of biases and head, made for logits that are scaled down, meet another network.
Finding FarFromGuessing(const Facts& f) {
  const double guessing = std::log(f.classes());
  if (!FarAbove(f.last().train_loss, guessing)) return {};
  const OptimizerSettings& o = f.settings.optimizer;
  const bool own_rates = o.bias_learning_rate > 0 || o.head_learning_rate > 0;
  return fmt::format(
      "the training loss is {:.3g}, where guessing among {} classes gives {:.2f}: the rates are far too high for this "
      "network; try {}",
      f.last().train_loss, f.train_counts.size(), guessing,
      own_rates ? std::string("--bias-learning-rate 0 --head-learning-rate 0 (a recipe's are for its own network)")
                : fmt::format("--learning-rate {:g}", SmallerRate(f)));
}

/// The loss of guessing evenly is ln(classes), with label smoothing and class weights too. A run that is slow at it,
/// but learns, shows so in either loss or in the training accuracy.
Finding NotLearning(const Facts& f) {
  const double guessing = std::log(f.classes());
  if (FarAbove(f.last().train_loss, guessing)) return {};
  const double chance = std::max(1 / f.classes(), LargestShare(f.train_counts));
  for (const EpochRecord& epoch : f.history) {
    if (epoch.train_loss < 0.97 * guessing || epoch.validation_loss.value_or(guessing) < 0.97 * guessing) return {};
    if (epoch.train_accuracy > 1.3 * chance) return {};
  }
  const double rate = f.settings.schedule.learning_rate;
  return fmt::format(
      "after {} epochs the loss is still {:.2f}, what guessing among {} classes gives ({:.2f}): the network learns "
      "nothing; try --learning-rate {:g}, or another --model",
      f.history.size(), f.last().train_loss, f.train_counts.size(), guessing, rate < 1e-4 ? 0.001 : SmallerRate(f));
}

Finding OneClass(const Facts& f) {
  const double share = LargestShare(f.validation_counts);
  if (!f.last().validation_accuracy || share < 1.2 / f.classes()) return {};
  const auto near = [&](const EpochRecord& e) { return std::abs(e.validation_accuracy.value_or(-1) - share) < 0.002; };
  if (!std::all_of(f.history.end() - 3, f.history.end(), near)) return {};
  return fmt::format(
      "the validation accuracy stays at {:.1f} %, the share of the largest class: the network answers that class for "
      "everything; try --class-weights balanced, or --learning-rate {:g}",
      100 * share, SmallerRate(f));
}

/// The training loss of an epoch well above that of the one before.
Finding RateTooHigh(const Facts& f) {
  for (auto e = f.history.begin() + 1; e != f.history.end(); ++e) {
    const double before = (e - 1)->train_loss;
    if (e->train_loss <= 1.15 * before) continue;
    return fmt::format(
        "in epoch {} the training loss rose from {:.2f} to {:.2f}: the learning rate is too high; try "
        "--learning-rate {:g}",
        e->epoch, before, e->train_loss, f.settings.schedule.learning_rate / 3);
  }
  return {};
}

std::string AgainstOverfitting(const TrainSettings& s) {
  std::vector<std::string> tries;
  if (!s.flip && s.shift == 0) tries.push_back("--flip --shift 4 (images seen anew each epoch)");
  if (s.early_stopping == 0) tries.push_back("--early-stopping 5");
  tries.push_back("more dropout in --model");
  tries.push_back("a smaller --model");
  if (s.optimizer.weight_decay == 0) tries.push_back("--optimizer adamw --weight-decay 0.01");
  return fmt::format("{} or {}", tries[0], tries[1]);
}

/// The validation loss has left its minimum by a tenth while the training loss went on falling.
Finding Overfitting(const Facts& f) {
  if (!f.last().validation_loss) return {};
  const auto loss = [](const EpochRecord& e) { return e.validation_loss.value_or(1e300); };
  const auto best = std::min_element(f.history.begin(), f.history.end(),
                                     [&](const EpochRecord& a, const EpochRecord& b) { return loss(a) < loss(b); });
  if (f.history.end() - best < 3 || loss(f.last()) < 1.1 * loss(*best)) return {};
  if (f.last().train_loss >= best->train_loss) return {};
  return fmt::format(
      "since epoch {} the validation loss rises ({:.2f} to {:.2f}) while the training loss falls ({:.2f} to {:.2f}): "
      "the network learns the training images by heart; try {}",
      best->epoch, loss(*best), loss(f.last()), best->train_loss, f.last().train_loss, AgainstOverfitting(f.settings));
}

/// All epochs are used up and the validation loss was still falling by a hundredth an epoch.
Finding Unfinished(const Facts& f) {
  if (static_cast<int64_t>(f.history.size()) < f.settings.epochs || !f.last().validation_loss) return {};
  for (auto e = f.history.end() - 2; e != f.history.end(); ++e) {
    if (*e->validation_loss > 0.99 * (e - 1)->validation_loss.value_or(0)) return {};
  }
  return fmt::format("the validation loss was still falling when the {} epochs were over; try --epochs {}",
                     f.settings.epochs, 2 * f.settings.epochs);
}

/// Of the last three epochs; epochs of less than a second say nothing.
Finding Waiting(const Facts& f) {
  double waiting = 0;
  for (auto e = f.history.end() - 3; e != f.history.end(); ++e) {
    if (e->seconds < 1) return {};
    waiting += e->data_wait_fraction / 3;
  }
  if (waiting < 0.2) return {};
  return fmt::format(
      "the network waits for its images in {:.0f} % of the time; try a smaller --image-size, or a larger --model, "
      "which "
      "would cost little",
      100 * waiting);
}

Finding Imbalance(const Facts& f) {
  if (f.settings.class_weights != "none") return {};
  const auto [few, many] = std::minmax_element(f.train_counts.begin(), f.train_counts.end());
  if (*many < 5 * *few) return {};
  return fmt::format(
      "the largest class has {:.0f} times the images of the smallest ({} and {}): rare classes will be found seldom; "
      "try "
      "--class-weights balanced, and read the macro F1 rather than the accuracy",
      static_cast<double>(*many) / static_cast<double>(std::max<int64_t>(*few, 1)), *many, *few);
}

struct Rule {
  const char* topic;
  size_t from_epoch;
  Finding (*find)(const Facts&);
};

constexpr Rule kRules[] = {
    {"rates", 1, FarFromGuessing},     {"not learning", 3, NotLearning}, {"one class", 3, OneClass},
    {"learning rate", 3, RateTooHigh}, {"overfitting", 3, Overfitting},  {"unfinished", 3, Unfinished},
    {"waiting", 3, Waiting},           {"imbalance", 0, Imbalance},
};

}  // namespace

std::vector<Advice> Advise(const std::vector<EpochRecord>& history, const TrainSettings& settings,
                           const std::vector<int64_t>& train_counts, const std::vector<int64_t>& validation_counts) {
  const Facts facts{history, settings, train_counts, validation_counts};
  std::vector<Advice> advice;
  for (const Rule& rule : kRules) {
    if (history.size() < rule.from_epoch) continue;
    if (const Finding text = rule.find(facts)) advice.push_back({rule.topic, *text});
  }
  return advice;
}

}  // namespace spotter
