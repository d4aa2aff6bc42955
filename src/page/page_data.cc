// SPDX-License-Identifier: Apache-2.0
#include "page/page_data.h"

#include <cmath>

#include "draw/pixels.h"

namespace spotter {
namespace {

constexpr size_t kMostSheetBytes = 1'500'000;

/// Thinner as long as the sheet is too heavy for a page.
std::string SheetUri(const Picture& sheet) {
  if (sheet.rgb.empty()) return "";
  std::string bytes;
  for (const int quality : {80, 60, 40, 20}) {
    bytes = EncodeWebp(sheet.view(), quality);
    if (bytes.size() <= kMostSheetBytes) break;
  }
  return DataUri("image/webp", bytes);
}

Json ExampleJson(const Example& example, const Dataset& data) {
  Json top = Json::array();
  for (const auto& [label, probability] : example.top) top.push_back({label, std::round(probability * 1e4) / 1e4});
  return {{"name", data.names[static_cast<size_t>(example.index)]},
          {"truth", example.truth},
          {"prediction", example.prediction},
          {"top", top},
          {"tile", example.tile},
          {"heat", example.heat_tile}};
}

Json ConfusionJson(const Metrics& metrics) {
  Json cells = Json::array();
  for (size_t truth = 0; truth < metrics.confusion.size(); ++truth) {
    for (size_t prediction = 0; prediction < metrics.confusion.size(); ++prediction) {
      const int64_t images = metrics.confusion[truth][prediction];
      if (images > 0) cells.push_back({truth, prediction, images});
    }
  }
  return cells;
}

}  // namespace

Json PageData(const ReportInput& input) {
  Json json = {{"classes", input.data.classes}};
  if (input.results == nullptr) return json;
  json["confusion"] = ConfusionJson(input.results->evaluation.metrics);
  const Gallery& gallery = input.results->gallery;
  json["examples"] = Json::array();
  for (const Example& example : gallery.examples) json["examples"].push_back(ExampleJson(example, input.data));
  json["mistakes"] = gallery.mistakes;
  json["unsure"] = gallery.unsure;
  json["sheet"] = {{"height", gallery.tile_height},
                   {"width", gallery.tile_width},
                   {"columns", gallery.columns},
                   {"images", SheetUri(gallery.images)},
                   {"heat", SheetUri(gallery.heat)}};
  return json;
}

}  // namespace spotter
