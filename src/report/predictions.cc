// SPDX-License-Identifier: Apache-2.0
#include "report/predictions.h"

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"

namespace spotter {
namespace {

using Row = std::vector<std::string>;

/// The rows of a CSV text after RFC 4180; line breaks inside quotes belong to the field.
std::vector<Row> ParseCsv(const std::string& text) {
  std::vector<Row> rows;
  Row row;
  std::string field;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"' && quoted && i + 1 < text.size() && text[i + 1] == '"') {
      field += text[i++];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && (c == ',' || c == '\n')) {
      row.push_back(std::move(field));
      field.clear();
      if (c == '\n') rows.push_back(std::exchange(row, {}));
    } else {
      field += c;
    }
  }
  return rows;
}

}  // namespace

std::vector<PredictionLine> ReadPredictions(const std::filesystem::path& path) {
  const std::vector<Row> rows = ParseCsv(ReadFile(path));
  if (rows.empty() || rows[0] != Row{"file", "label", "prediction", "probability", "correct"})
    Fail(ExitCode::kModel, "'{}' is no predictions.csv: its first line is another", path.string());
  std::vector<PredictionLine> lines;
  for (size_t i = 1; i < rows.size(); ++i) {
    const auto probability = rows[i].size() == 5 ? ParseNumber(rows[i][3]) : std::nullopt;
    if (!probability) Fail(ExitCode::kModel, "'{}' is damaged in line {}", path.string(), i + 1);
    lines.push_back({rows[i][0], rows[i][1], rows[i][2], *probability});
  }
  return lines;
}

}  // namespace spotter
