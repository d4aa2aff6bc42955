// SPDX-License-Identifier: Apache-2.0
// A user in an empty folder: runs the program there, with a cache of their own and no network, and reads what
// it wrote.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <sstream>

#include "support/make_images.h"
#include "support/run_spotter.h"
#include "support/test_support.h"

namespace spotter {

using Json = nlohmann::json;
namespace fs = std::filesystem;
using Words = std::vector<std::string>;
using Table = std::vector<Words>;

inline Words operator+(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

/// Reads a CSV file, quoted fields too. Its first row is the header.
inline Table ReadCsv(const std::string& text) {
  Table table;
  Words row;
  std::string field;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '"' && i + 1 < text.size() && text[i + 1] == '"') {
      field += '"';
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && (c == ',' || c == '\n')) {
      row.push_back(std::exchange(field, ""));
      if (c == '\n') table.push_back(std::exchange(row, {}));
    } else {
      field += c;
    }
  }
  EXPECT_TRUE(!quoted && field.empty() && row.empty()) << "the CSV ends within a line";
  return table;
}

inline std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// The tensors of a safetensors file: dtype, shape and bytes, by name.
inline std::map<std::string, std::string> Tensors(const fs::path& path) {
  const std::string content = ReadText(path);
  uint64_t length = 0;
  if (content.size() >= sizeof length) std::memcpy(&length, content.data(), sizeof length);
  if (content.size() < sizeof length || length > content.size() - sizeof length) {
    ADD_FAILURE() << path << " is no safetensors file";
    return {};
  }
  const Json header = Json::parse(content.substr(sizeof length, length));
  std::map<std::string, std::string> tensors;
  for (const auto& [name, value] : header.items()) {
    if (name == "__metadata__") continue;
    const auto begin = value["data_offsets"][0].get<size_t>();
    const auto end = value["data_offsets"][1].get<size_t>();
    const std::string form = value["dtype"].get<std::string>() + value["shape"].dump() + " ";
    tensors[name] = form + content.substr(sizeof length + length + begin, end - begin);
  }
  EXPECT_FALSE(tensors.empty());
  return tensors;
}

/// The names of the tensors that differ or stand in only one.
inline std::string Differences(const fs::path& a, const fs::path& b) {
  const auto first = Tensors(a);
  const auto second = Tensors(b);
  std::string names;
  for (const auto& [name, bytes] : first) {
    if (!second.contains(name) || second.at(name) != bytes) names += name + " ";
  }
  for (const auto& [name, bytes] : second) {
    if (!first.contains(name)) names += name + " ";
  }
  return names;
}

class CliTest : public testing::Test {
 protected:
  const fs::path& folder() const { return folder_.path(); }
  fs::path at(const std::string& name) const { return folder() / name; }

  Surroundings Here() const {
    Surroundings here;
    here.folder = folder();
    here.environment = {{"SPOTTER_CACHE", (folder() / "cache").string()},
                        {"SPOTTER_DATA", ""},
                        {"http_proxy", "http://127.0.0.1:9"},
                        {"https_proxy", "http://127.0.0.1:9"},
                        {"no_proxy", ""},
                        {"NO_PROXY", ""}};
    return here;
  }
  Outcome Spotter(const Words& arguments, const std::string& input = "") const {
    Surroundings here = Here();
    here.input = input;
    Outcome outcome = RunCommand(Words{SPOTTER_BINARY} + arguments, here);
    EXPECT_FALSE(outcome.timed_out) << outcome.err;
    EXPECT_EQ(outcome.signal, 0) << outcome.err;
    return outcome;
  }
  /// The same, and it must succeed.
  Outcome Succeed(const Words& arguments, const std::string& input = "") const {
    Outcome outcome = Spotter(arguments, input);
    EXPECT_EQ(outcome.code, 0) << testing::PrintToString(arguments) << "\n" << outcome.err;
    return outcome;
  }
  Json SucceedWithJson(const Words& arguments) const {
    const Outcome outcome = Succeed(arguments);
    const Json json = Json::parse(outcome.out, nullptr, /*allow_exceptions=*/false);
    EXPECT_FALSE(json.is_discarded()) << outcome.out;
    return json;
  }
  /// It must end with this exit code and one line on stderr, which holds each of `parts`. Returns the line.
  std::string Refuse(int code, const Words& arguments, const Words& parts) const {
    return ExpectRefusal(Spotter(arguments), code, parts);
  }
  static std::string ExpectRefusal(const Outcome& outcome, int code, const Words& parts) {
    EXPECT_EQ(outcome.code, code) << outcome.err;
    const auto lines = Lines(outcome.err);
    EXPECT_EQ(lines.size(), 1U) << outcome.err;
    EXPECT_TRUE(outcome.err.starts_with("error: ")) << outcome.err;
    for (const std::string& part : parts) {
      EXPECT_NE(outcome.err.find(part), std::string::npos) << "'" << part << "' is not in: " << outcome.err;
    }
    return outcome.err;
  }

  /// spotter train with the smallest network that has something of everything, on one thread.
  static Words Train(const std::string& data, const Words& more = {}) {
    return Words{"train",     data, "--model",      "conv 8 relu, maxpool 2, dropout 0.2, flatten, dense classes",
                 "--threads", "1",  "--batch-size", "16",
                 "--epochs",  "2"} +
           more;
  }
  /// Makes `pictures`, trains on it and keeps the run in `run`.
  void MakeRun(const ImageFolder& images = {}) const {
    MakeImageFolder(at("pictures"), images);
    Succeed(Train("pictures", {"--output", "run", "--quiet"}));
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace spotter
