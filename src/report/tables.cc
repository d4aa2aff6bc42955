// SPDX-License-Identifier: Apache-2.0
#include "report/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "base/text.h"

namespace spotter {
namespace {

/// The characters that a terminal shows for valid UTF-8 (one a code point).
size_t DisplayWidth(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string Padded(const std::string& text, size_t width, bool right = false) {
  const std::string space(width > DisplayWidth(text) ? width - DisplayWidth(text) : 0, ' ');
  return right ? space + text : text + space;
}

/// At most `width` characters, the last an ellipsis where it was cut.
std::string Shortened(const std::string& text, size_t width) {
  if (DisplayWidth(text) <= width) return text;
  std::string cut;
  for (const char c : text) {
    if ((c & 0xc0) != 0x80 && DisplayWidth(cut) + 1 == width) break;
    cut += c;
  }
  return cut + "…";
}

std::vector<std::string> ShownNames(const std::vector<std::string>& classes, size_t longest) {
  std::vector<std::string> shown;
  for (const std::string& name : classes) shown.push_back(Shortened(Printable(name), longest));
  return shown;
}

size_t Widest(const std::vector<std::string>& texts, size_t least) {
  for (const std::string& text : texts) least = std::max(least, DisplayWidth(text));
  return least;
}

std::string PerClassText(const Metrics& m, const std::vector<std::string>& classes) {
  std::vector<std::string> names = ShownNames(classes, 32);
  names.insert(names.end(), {"macro average", "weighted average"});
  const size_t width = Widest(names, 5);
  std::string text = fmt::format("{}  precision  recall      F1  support\n", Padded("class", width));
  for (size_t i = 0; i < names.size(); ++i) {
    const ClassMetrics& c = i < m.per_class.size() ? m.per_class[i] : i == m.per_class.size() ? m.macro : m.weighted;
    text += fmt::format("{}  {:>9.3f}  {:>6.3f}  {:>6.3f}  {:>7}\n", Padded(names[i], width), c.precision, c.recall,
                        c.f1, c.support);
  }
  return text;
}

std::string ConfusionText(const Metrics& m, const std::vector<std::string>& classes) {
  constexpr size_t kMostClasses = 30;
  if (classes.size() > kMostClasses) {
    return fmt::format("confusion matrix: {} x {}, too wide for a terminal; it is in the JSON and the CSV\n",
                       classes.size(), classes.size());
  }
  const std::vector<std::string> rows = ShownNames(classes, 24);
  const std::vector<std::string> columns = ShownNames(classes, classes.size() > 12 ? 6 : 10);
  const size_t width = Widest(rows, 16);
  std::string text = Padded("truth \\ predicted", width + 1);
  for (const std::string& name : columns) text += " " + Padded(name, std::max<size_t>(5, DisplayWidth(name)), true);
  text += '\n';
  for (size_t r = 0; r < rows.size(); ++r) {
    text += Padded(rows[r], width + 1);
    for (size_t c = 0; c < columns.size(); ++c) {
      text += fmt::format(" {:>{}}", m.confusion[r][c], std::max<size_t>(5, DisplayWidth(columns[c])));
    }
    text += '\n';
  }
  return text;
}

std::string OptionalText(const std::optional<double>& value) { return value ? fmt::format("{}", *value) : ""; }

}  // namespace

std::string Percent(double fraction) { return fmt::format("{:.2f} %", 100 * fraction); }

std::string MetricsText(const Metrics& m, const std::vector<std::string>& classes) {
  std::string text =
      fmt::format("accuracy {} (95 % interval {:.2f} to {:.2f} %) on {} images, loss {:.4f}", Percent(m.accuracy),
                  100 * m.accuracy_interval[0], 100 * m.accuracy_interval[1], WithThousands(m.images), m.loss);
  if (m.top_k > 0) text += fmt::format(", top-{} accuracy {}", m.top_k, Percent(m.top_k_accuracy));
  return text + "\n\n" + PerClassText(m, classes) + "\n" + ConfusionText(m, classes);
}

std::string EvaluationText(const Evaluation& e, const std::vector<std::string>& classes) {
  const std::string before =
      e.temperature == 1 ? ""
                         : fmt::format("; {:.1f} % before temperature {:.2f}", 100 * e.ece_uncalibrated, e.temperature);
  return MetricsText(e.metrics, classes) +
         fmt::format("\nCalibration: its probabilities are off by {:.1f} % on average (ECE, {} bins{})\n",
                     100 * e.calibration.ece, e.calibration.bins.size(), before);
}

std::string PerClassCsv(const Metrics& m, const std::vector<std::string>& classes) {
  std::string csv = "class,precision,recall,f1,support\n";
  const auto line = [&](const std::string& name, const ClassMetrics& c) {
    csv += fmt::format("{},{},{},{},{}\n", CsvField(name), c.precision, c.recall, c.f1, c.support);
  };
  for (size_t i = 0; i < classes.size(); ++i) line(classes[i], m.per_class[i]);
  line("macro average", m.macro);
  line("weighted average", m.weighted);
  return csv;
}

std::string ConfusionCsv(const Metrics& m, const std::vector<std::string>& classes) {
  std::string csv = "truth";
  for (const std::string& name : classes) csv += "," + CsvField(name);
  for (size_t r = 0; r < classes.size(); ++r) {
    csv += "\n" + CsvField(classes[r]);
    for (const int64_t count : m.confusion[r]) csv += fmt::format(",{}", count);
  }
  return csv + "\n";
}

std::string HistoryCsv(const std::vector<EpochRecord>& history) {
  std::string csv =
      "epoch,train_loss,train_accuracy,validation_loss,validation_accuracy,learning_rate,images_per_second,"
      "data_wait_fraction,seconds\n";
  for (const EpochRecord& r : history) {
    csv += fmt::format("{},{},{},{},{},{},{:.1f},{:.4f},{:.3f}\n", r.epoch, r.train_loss, r.train_accuracy,
                       OptionalText(r.validation_loss), OptionalText(r.validation_accuracy), r.learning_rate,
                       r.images_per_second, r.data_wait_fraction, r.seconds);
  }
  return csv;
}

std::string PredictionsCsv(const Dataset& data, const std::vector<std::string>& model_classes,
                           const std::vector<int64_t>& indices, const Evaluation& evaluation) {
  std::string csv = "file,label,prediction,probability,correct\n";
  const size_t classes = model_classes.size();
  for (size_t i = 0; i < indices.size(); ++i) {
    const auto p = Probabilities(std::span(evaluation.logits).subspan(i * classes, classes));
    const auto best = static_cast<size_t>(std::max_element(p.begin(), p.end()) - p.begin());
    const auto label = static_cast<size_t>(evaluation.labels[i]);
    csv += fmt::format("{},{},{},{:.9},{}\n", CsvField(data.names[static_cast<size_t>(indices[i])]),
                       CsvField(model_classes[label]), CsvField(model_classes[best]), p[best], best == label ? 1 : 0);
  }
  return csv;
}

std::string DatasetText(const Dataset& data, const Splits& splits) {
  std::string text = fmt::format("{}: {}, {} images of {} x {} x {} (height, width, channels), {} classes\n",
                                 Printable(data.source), data.layout, WithThousands(data.size()), data.shape.height,
                                 data.shape.width, data.shape.channels, data.classes.size());
  if (!data.located.empty() && data.located != data.source)
    text += fmt::format("read from {}\n", Printable(data.located));
  if (data.resized) text += "images of other sizes are resized to that; --image-size and --resize choose how\n";
  const std::vector<std::string> names = ShownNames(data.classes, 40);
  const size_t width = Widest(names, 5);
  const auto counts = {ClassCounts(data, splits.train), ClassCounts(data, splits.validation),
                       ClassCounts(data, splits.test)};
  text += fmt::format("\n{}    train  validation     test\n", Padded("class", width));
  for (size_t c = 0; c < names.size(); ++c) {
    text += Padded(names[c], width);
    size_t column = 0;
    for (const auto& count : counts) text += fmt::format(" {:>{}}", WithThousands(count[c]), column++ == 1 ? 11 : 8);
    text += '\n';
  }
  text += fmt::format("{} {:>8} {:>11} {:>8}\n", Padded("all", width),
                      WithThousands(static_cast<int64_t>(splits.train.size())),
                      WithThousands(static_cast<int64_t>(splits.validation.size())),
                      WithThousands(static_cast<int64_t>(splits.test.size())));
  if (splits.made_validation) text += "\nValidation images are cut from the training images, by seed and class.\n";
  if (splits.made_test) text += "The data is not divided: test images are cut from it as well, by seed and class.\n";
  if (!data.skipped.empty()) {
    constexpr size_t kShown = 10;
    text += data.skipped.size() == 1
                ? "\n1 file was skipped:\n"
                : fmt::format("\n{} files were skipped:\n", WithThousands(static_cast<int64_t>(data.skipped.size())));
    for (size_t i = 0; i < std::min(kShown, data.skipped.size()); ++i) {
      text += fmt::format("  {}: {}\n", Printable(data.skipped[i].name), Printable(data.skipped[i].reason));
    }
    if (data.skipped.size() > kShown)
      text += fmt::format("  and {} more (--json lists all)\n", data.skipped.size() - kShown);
  }
  return text;
}

Json DatasetJson(const Dataset& data, const Splits& splits) {
  Json skipped = Json::array();
  for (const SkippedFile& file : data.skipped) skipped.push_back({{"file", file.name}, {"reason", file.reason}});
  const auto counts = [&](const std::vector<int64_t>& indices) {
    Json per_class = Json::object();
    const auto numbers = ClassCounts(data, indices);
    for (size_t c = 0; c < numbers.size(); ++c) per_class[data.classes[c]] = numbers[c];
    return Json{{"images", indices.size()}, {"per_class", per_class}};
  };
  return {{"source", data.source},           {"located", data.located},
          {"layout", data.layout},           {"resized", data.resized},
          {"fingerprint", data.fingerprint}, {"images", data.size()},
          {"height", data.shape.height},     {"width", data.shape.width},
          {"channels", data.shape.channels}, {"classes", data.classes},
          {"train", counts(splits.train)},   {"validation", counts(splits.validation)},
          {"test", counts(splits.test)},     {"skipped", skipped}};
}

}  // namespace spotter
