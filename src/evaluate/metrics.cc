// SPDX-License-Identifier: Apache-2.0
#include "evaluate/metrics.h"

#include <algorithm>
#include <cmath>

namespace spotter {
namespace {

double Ratio(double a, double b) { return b > 0 ? a / b : 0; }

/// -log softmax(logits)[label], in double and without overflow.
double CrossEntropy(std::span<const float> logits, int32_t label) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - largest);
  return std::log(sum) + largest - static_cast<double>(logits[static_cast<size_t>(label)]);
}

/// How many classes come before `label` when sorted by falling logit, the lower class first among equals.
int64_t Rank(std::span<const float> logits, int32_t label) {
  const float own = logits[static_cast<size_t>(label)];
  int64_t rank = 0;
  for (size_t c = 0; c < logits.size(); ++c)
    rank += logits[c] > own || (logits[c] == own && c < static_cast<size_t>(label));
  return rank;
}

void FillPerClass(Metrics& m) {
  const size_t classes = m.confusion.size();
  m.macro.support = m.weighted.support = m.images;
  for (size_t c = 0; c < classes; ++c) {
    int64_t predicted = 0;
    ClassMetrics one;
    for (size_t other = 0; other < classes; ++other) {
      predicted += m.confusion[other][c];
      one.support += m.confusion[c][other];
    }
    const auto correct = static_cast<double>(m.confusion[c][c]);
    one.precision = Ratio(correct, static_cast<double>(predicted));
    one.recall = Ratio(correct, static_cast<double>(one.support));
    one.f1 = Ratio(2 * correct, static_cast<double>(predicted + one.support));
    const auto add = [&](ClassMetrics& mean, double weight) {
      mean.precision += weight * one.precision;
      mean.recall += weight * one.recall;
      mean.f1 += weight * one.f1;
    };
    add(m.macro, 1.0 / static_cast<double>(classes));
    add(m.weighted, Ratio(static_cast<double>(one.support), static_cast<double>(m.images)));
    m.per_class.push_back(one);
  }
}

Json ToJson(const ClassMetrics& m) {
  return {{"precision", m.precision}, {"recall", m.recall}, {"f1", m.f1}, {"support", m.support}};
}

}  // namespace

std::array<double, 2> WilsonInterval(int64_t k, int64_t n) {
  if (n == 0) return {0, 1};
  constexpr double kZ = 1.959963984540054;  // the normal distribution's 97.5 % point
  const auto count = static_cast<double>(n);
  const double p = static_cast<double>(k) / count;
  const double z2 = kZ * kZ / count;
  const double middle = (p + z2 / 2) / (1 + z2);
  const double half = kZ / (1 + z2) * std::sqrt(p * (1 - p) / count + z2 / (4 * count));
  return {std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

Metrics ComputeMetrics(std::span<const int32_t> labels, std::span<const float> logits, int64_t classes, int top_k) {
  Metrics m;
  m.images = static_cast<int64_t>(labels.size());
  m.top_k = classes > 2 ? static_cast<int>(std::min<int64_t>(top_k, classes - 1)) : 0;
  m.confusion.assign(static_cast<size_t>(classes), std::vector<int64_t>(static_cast<size_t>(classes)));
  int64_t in_top_k = 0;
  int64_t correct = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    const auto row = logits.subspan(i * static_cast<size_t>(classes), static_cast<size_t>(classes));
    const auto predicted = static_cast<size_t>(std::max_element(row.begin(), row.end()) - row.begin());
    const auto label = static_cast<size_t>(labels[i]);
    m.loss += CrossEntropy(row, labels[i]);
    m.confusion[label][predicted] += 1;
    correct += predicted == label;
    in_top_k += Rank(row, labels[i]) < m.top_k;
  }
  const auto n = static_cast<double>(m.images);
  m.loss = Ratio(m.loss, n);
  m.accuracy = Ratio(static_cast<double>(correct), n);
  m.accuracy_interval = WilsonInterval(correct, m.images);
  m.top_k_accuracy = Ratio(static_cast<double>(in_top_k), n);
  FillPerClass(m);
  return m;
}

Json ToJson(const Metrics& m, const std::vector<std::string>& classes) {
  Json json = {{"images", m.images},
               {"accuracy", m.accuracy},
               {"accuracy_interval", {m.accuracy_interval[0], m.accuracy_interval[1]}},
               {"loss", m.loss}};
  if (m.top_k > 0) json["top_k"] = {{"k", m.top_k}, {"accuracy", m.top_k_accuracy}};
  json["macro"] = ToJson(m.macro);
  json["weighted"] = ToJson(m.weighted);
  json["per_class"] = Json::array();
  for (size_t c = 0; c < classes.size(); ++c) {
    Json entry = {{"name", classes[c]}};
    entry.update(ToJson(m.per_class[c]));
    json["per_class"].push_back(entry);
  }
  json["classes"] = classes;
  json["confusion_matrix"] = m.confusion;
  return json;
}

}  // namespace spotter
