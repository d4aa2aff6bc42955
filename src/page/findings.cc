// SPDX-License-Identifier: Apache-2.0
#include "page/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/text.h"
#include "report/tables.h"

namespace spotter {
namespace {

std::string WholePercent(double fraction) { return fmt::format("{:.0f} %", 100 * fraction); }

/// Classes that have images, by falling F1.
std::vector<size_t> ByF1(const Metrics& m) {
  std::vector<size_t> order;
  for (size_t c = 0; c < m.per_class.size(); ++c) {
    if (m.per_class[c].support > 0) order.push_back(c);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return m.per_class[a].f1 > m.per_class[b].f1; });
  return order;
}

std::string BestAndWorst(const Metrics& m, const std::vector<std::string>& classes) {
  const std::vector<size_t> order = ByF1(m);
  const auto f1 = [&](size_t c) { return WholePercent(m.per_class[c].f1); };
  if (order.size() < 2) return "";
  const size_t best = order[0], second = order[1], worst = order.back();
  if (f1(best) == f1(worst)) return fmt::format("It does equally well on all classes (F1 {}). ", f1(best));
  if (order.size() == 2) {
    return fmt::format("It is better on {} (F1 {}) than on {} ({}). ", classes[best], f1(best), classes[worst],
                       f1(worst));
  }
  return fmt::format("It is best on {} and {} (F1 {} and {}) and weakest on {} ({}). ", classes[best], classes[second],
                     f1(best), f1(second), classes[worst], f1(worst));
}

std::string WorstPair(const Metrics& m, const std::vector<std::string>& classes, int64_t errors) {
  size_t first = 0, second = 1;
  int64_t most = -1;
  for (size_t a = 0; a < classes.size(); ++a) {
    for (size_t b = a + 1; b < classes.size(); ++b) {
      const int64_t mixed = m.confusion[a][b] + m.confusion[b][a];
      if (mixed > most) most = mixed, first = a, second = b;
    }
  }
  if (m.confusion[second][first] > m.confusion[first][second]) std::swap(first, second);
  const int64_t there = m.confusion[first][second], back = m.confusion[second][first];
  const std::string share = WholePercent(static_cast<double>(there + back) / static_cast<double>(errors));
  if (back * 4 < there) {
    return fmt::format("Most often confused: {} taken for {}, {} of all errors.", classes[first], classes[second],
                       share);
  }
  return fmt::format("Most often confused: {} and {}, one for the other, {} of all errors.", classes[first],
                     classes[second], share);
}

}  // namespace

std::string Findings(const Metrics& m, const std::vector<std::string>& classes) {
  int64_t right = 0;
  for (size_t c = 0; c < classes.size(); ++c) right += m.confusion[c][c];
  const int64_t errors = m.images - right;
  if (errors == 0) return fmt::format("All {} images are answered right.", WithThousands(m.images));
  return BestAndWorst(m, classes) + WorstPair(m, classes, errors);
}

Confusion MostConfused(const Metrics& m, size_t truth) {
  Confusion most;
  for (size_t c = 0; c < m.confusion.size(); ++c) {
    if (c != truth && m.confusion[truth][c] > most.count) most = {c, m.confusion[truth][c]};
  }
  return most;
}

}  // namespace spotter
