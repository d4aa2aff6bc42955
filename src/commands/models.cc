// SPDX-License-Identifier: Apache-2.0
// spotter models: the named networks, the layer language, and the summary of a network.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "commands/command.h"
#include "commands/flags.h"
#include "models/language.h"
#include "models/network.h"
#include "models/zoo.h"

namespace spotter {
namespace {

struct Arguments {
  std::string model;
  std::string input = "32x32x3";
  int64_t classes = 10;
  bool json = false;
};

std::vector<Option> Options(Arguments& a) { return {{"classes", &a.classes, "how many classes", 2, 100000}}; }

FeatureShape ParseInput(const std::string& text) {
  const auto parts = Split(text, 'x');
  std::vector<int64_t> sides;
  for (const std::string_view part : parts) sides.push_back(ParseInteger(part).value_or(0));
  if (sides.size() == 1) sides = {sides[0], sides[0], 3};
  if (sides.size() == 2) sides.push_back(3);
  const bool right =
      sides.size() == 3 && std::all_of(sides.begin(), sides.end(), [](int64_t n) { return n >= 1 && n <= 4096; });
  if (!right) Fail(ExitCode::kUsage, "--input {}: expected HEIGHTxWIDTHxCHANNELS, as in 32x32x3", text);
  return {sides[0], sides[1], sides[2]};
}

int PrintList() {
  std::printf("Named models:\n");
  for (const ZooEntry& entry : Zoo()) {
    const Network network(entry.layers, {32, 32, 3}, 10);
    std::printf("  %-10s %s (%s parameters for 32 x 32 x 3, 10 classes)\n", entry.name.c_str(),
                entry.description.c_str(), WithThousands(network.parameter_count()).c_str());
  }
  std::printf("\nOr a list of layers, with commas between them, each one of:\n");
  for (const LayerWord& word : LayerWords()) std::printf("  %-62s %s\n", word.usage.c_str(), word.meaning.c_str());
  std::printf("\nThe last layer gives the logits: dense classes.\n");
  return 0;
}

Json ToJson(const Network& network) {
  Json layers = Json::array();
  for (const auto& layer : network.layers()) {
    int64_t parameters = 0;
    for (const Parameter& parameter : layer->parameters()) parameters += parameter.value.numel();
    const FeatureShape& s = layer->output_shape();
    layers.push_back({{"name", layer->name()},
                      {"layer", layer->description()},
                      {"output_shape", s.is_map() ? Json{s.height, s.width, s.channels} : Json::array({s.channels})},
                      {"parameters", parameters},
                      {"flops", layer->flops()}});
  }
  return {{"text", network.text()},
          {"layers", layers},
          {"parameters", network.parameter_count()},
          {"trainable_parameters", network.trainable_parameter_count()},
          {"flops", network.flops()}};
}

int Run(const Arguments& a) {
  if (a.model.empty()) return PrintList();
  const Network network(ResolveModel(a.model), ParseInput(a.input), a.classes);
  std::puts(a.json ? DumpJson(ToJson(network), 2).c_str() : Summary(network).c_str());
  return 0;
}

}  // namespace

Command ModelsCommand() {
  return {"models", "List the networks known by name and the layer language, or summarise one",
          "  spotter models\n  spotter models seed-003\n"
          "  spotter models \"conv 32 relu, maxpool 2, flatten, dense classes\" --input 28x28x1 --classes 10",
          [](CLI::App& app) {
            auto a = std::make_shared<Arguments>();
            app.add_option("model", a->model, "a name or a layer list");
            app.add_option("--input", a->input, "the images' shape")->type_name("HxWxC")->default_str(a->input);
            app.add_flag("--json", a->json, "print one JSON object");
            const auto given = AddFlags(app, Options(*a));
            return [a, given] {
              ApplyFlags(*given, Options(*a));
              return Run(*a);
            };
          }};
}

}  // namespace spotter
