// SPDX-License-Identifier: Apache-2.0
// spotter data: what Spotter sees in a data set.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <memory>

#include "base/text.h"
#include "commands/command.h"
#include "commands/flags.h"
#include "commands/load.h"
#include "data/catalog.h"
#include "report/tables.h"
#include "train/settings.h"

namespace spotter {
namespace {

struct Arguments {
  std::string data;
  DataSettings settings;
  int64_t seed = 0;
  bool json = false;
  bool no_cache = false;
};

std::vector<Option> Options(Arguments& a) {
  std::vector<Option> list = DataOptions(a.settings);
  list.push_back({"seed", &a.seed, "of the split", 0, 9e15, {}, "Data"});
  return list;
}

int PrintCatalog() {
  for (const CatalogEntry& entry : Catalog()) std::printf("%-14s %s\n", entry.name.c_str(), entry.description.c_str());
  std::printf(
      "\nor a path: an image folder, an archive of one (.tar, .tar.gz, .zip), CIFAR-10's own archives, IDX "
      "files\n");
  return 0;
}

int Run(const Arguments& a) {
  if (a.data.empty()) return PrintCatalog();
  LoadOptions options = ToLoadOptions(a.settings, 0);
  options.use_cache = !a.no_cache;
  const auto begin = std::chrono::steady_clock::now();
  const Dataset data = LoadWithProgress(a.data, options);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const Splits splits =
      MakeSplits(data, a.settings.validation_fraction, a.settings.test_fraction, static_cast<uint64_t>(a.seed));
  if (a.json) {
    Json json = DatasetJson(data, splits);
    json["load_seconds"] = seconds;
    std::puts(DumpJson(json, 2).c_str());
  } else {
    std::printf("%s\nloaded in %s\n", DatasetText(data, splits).c_str(), HumanSeconds(seconds).c_str());
  }
  return 0;
}

}  // namespace

Command DataCommand() {
  return {"data", "Show what is in a data set: classes, images, splits, unreadable files",
          "  spotter data                      the data sets known by name\n"
          "  spotter data cifar10\n"
          "  spotter data my-pictures/ --image-size 48 --json",
          [](CLI::App& app) {
            auto a = std::make_shared<Arguments>();
            app.add_option("data", a->data, "a name, a folder or an archive");
            app.add_flag("--json", a->json, "print one JSON object");
            app.add_flag("--no-cache", a->no_cache, "decode anew, keep nothing");
            const auto given = AddFlags(app, Options(*a));
            return [a, given] {
              ApplyFlags(*given, Options(*a));
              return Run(*a);
            };
          }};
}

}  // namespace spotter
