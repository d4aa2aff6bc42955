// SPDX-License-Identifier: Apache-2.0
// Everything else that one asks about a run later: data, network, recipe, machine, time.
#include <fmt/format.h>

#include "base/text.h"
#include "page/samples.h"
#include "page/sections.h"

namespace spotter {
namespace {

using Rows = std::vector<std::vector<std::string>>;

std::string Shape(const ImageShape& shape) {
  return fmt::format("{} x {}, {}", shape.width, shape.height, shape.channels == 1 ? "grey" : "colour");
}

void AddData(Node section, const ReportInput& input) {
  Add(section, "h3", "", "Data");
  const Json data = input.run.value("data", Json::object());
  Add(section, "p", "",
      fmt::format("{} ({}), images of {}{}. Fingerprint {}.", data.value("source", ""), input.data.layout,
                  Shape(input.data.shape), input.data.resized ? ", resized" : "", input.data.fingerprint));
  const auto train = ClassCounts(input.data, input.splits.train);
  const auto validation = ClassCounts(input.data, input.splits.validation);
  const auto test = ClassCounts(input.data, input.splits.test);
  Rows rows;
  for (size_t c = 0; c < input.data.classes.size(); ++c) {
    rows.push_back(
        {input.data.classes[c], WithThousands(train[c]), WithThousands(validation[c]), WithThousands(test[c])});
  }
  rows.push_back({"all", WithThousands(static_cast<int64_t>(input.splits.train.size())),
                  WithThousands(static_cast<int64_t>(input.splits.validation.size())),
                  WithThousands(static_cast<int64_t>(input.splits.test.size()))});
  Node box = Add(section, "div", "wide");
  AddTable(box, "", {{"class"}, {"training", true}, {"validation", true}, {"test", true}}, rows);
  if (!input.data.skipped.empty()) {
    Add(section, "p", "", fmt::format("{} unreadable files were skipped.", input.data.skipped.size()));
  }
}

void AddSamples(Node section, const ReportInput& input) {
  Add(section, "h3", "", "Training images, as the network sees them");
  Node image = Add(section, "img", "samples");
  SetAttribute(image, "src", SamplesUri(input.data, input.splits, input.settings, input.preprocessing));
  SetAttribute(image, "alt", "A few training images of each of the first classes, augmented as in training");
}

void AddNetwork(Node section, const ReportInput& input) {
  Add(section, "h3", "", "Network");
  Rows rows;
  for (const auto& layer : input.network.layers()) {
    int64_t parameters = 0;
    for (const Parameter& parameter : layer->parameters()) parameters += parameter.value.numel();
    rows.push_back({layer->name(), layer->description(), ToString(layer->output_shape()), WithThousands(parameters),
                    WithThousands(layer->flops())});
  }
  Node box = Add(section, "div", "wide");
  AddTable(box, "", {{"layer"}, {"as written"}, {"output"}, {"parameters", true}, {"FLOPs an image", true}}, rows);
  Add(section, "p", "",
      fmt::format("{} parameters, {} of them trained; {} FLOPs an image.",
                  WithThousands(input.network.parameter_count()),
                  WithThousands(input.network.trainable_parameter_count()), WithThousands(input.network.flops())));
}

void AddTime(Node section, const ReportInput& input) {
  const Json seconds = input.run.value("seconds", Json::object());
  if (seconds.empty()) return;
  Add(section, "h3", "", "Time");
  Rows rows;
  for (const auto& [phase, value] : seconds.items()) rows.push_back({phase, HumanSeconds(value.get<double>())});
  AddTable(section, "", {{"phase"}, {"time", true}}, rows);
}

std::string Plain(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

void AddMachine(Node section, const ReportInput& input) {
  Add(section, "h3", "", "Machine and versions");
  Rows rows;
  for (const char* group : {"compute", "host", "versions"}) {
    const Json facts = input.run.value(group, Json::object());
    for (const auto& [name, value] : facts.items()) {
      if (name == "memory_bytes") {
        rows.push_back({"memory", HumanBytes(value.get<double>())});
      } else {
        rows.push_back({name, Plain(value)});
      }
    }
  }
  AddTable(section, "", {{"what"}, {"value"}}, rows);
}

void AddRecipe(Node section, const ReportInput& input) {
  Add(section, "h3", "", "Recipe");
  Node line = Add(section, "p", "", "To repeat the run: ");
  Add(line, "code", "", input.run.value("command", ""));
  Node details = Add(section, "details");
  Add(details, "summary", "", "Every setting (recipe.toml)");
  details.append_child("pre").append_child(pugi::node_pcdata).set_value(input.recipe.c_str());
}

}  // namespace

void AddFacts(Node main, const ReportInput& input) {
  Node section = AddSection(main, "facts", "Facts");
  AddRecipe(section, input);
  AddNetwork(section, input);
  AddData(section, input);
  AddSamples(section, input);
  AddTime(section, input);
  AddMachine(section, input);
}

}  // namespace spotter
