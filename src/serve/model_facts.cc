// SPDX-License-Identifier: Apache-2.0
#include "serve/model_facts.h"

#include <filesystem>

#include "base/files.h"
#include "evaluate/explain.h"
#include "report/run_folder.h"

namespace spotter {
namespace {

/// What a run's files tell of its model: where and how well it was tested. Nothing for a model file alone, and while a
/// run goes on: its last test was of an older model.
Json TestOf(const std::string& source) {
  if (!IsFolder(source) || FindModelFile(source).filename() != "model.safetensors") return nullptr;
  const auto file = std::filesystem::path(source) / "metrics.json";
  if (!PathExists(file)) return nullptr;
  const Json metrics = Json::parse(ReadFile(file), nullptr, /*allow_exceptions=*/false);
  if (!metrics.is_object() || !metrics.contains("evaluated_on")) return nullptr;
  const std::string split = metrics.at("evaluated_on").get<std::string>();
  if (!metrics.contains(split)) return nullptr;
  const Json& result = metrics.at(split);
  Json test = {{"split", split}};
  for (const char* key : {"images", "accuracy", "accuracy_interval"}) {
    if (result.contains(key)) test[key] = result.at(key);
  }
  return test;
}

}  // namespace

Json DescribeModel(const std::string& name, const std::string& version, const Model& model, const std::string& source) {
  const ImageShape& shape = model.preprocessing.shape;
  int64_t parameters = 0;
  for (const Parameter* parameter : model.network.parameters())
    parameters += parameter->trainable() ? parameter->value.numel() : 0;
  return {{"name", name},
          {"version", version},
          {"classes", model.classes},
          {"layers", model.network.text()},
          {"parameters", parameters},
          {"image",
           {{"height", shape.height},
            {"width", shape.width},
            {"channels", shape.channels},
            {"resize", ResizePolicyName(model.preprocessing.resize)}}},
          {"heat_map", CanExplain(model.network)},
          {"test", TestOf(source)}};
}

}  // namespace spotter
