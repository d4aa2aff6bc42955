// SPDX-License-Identifier: Apache-2.0
// What is written is what TensorBoard's own readers find (tests/support/read_event_files.py).
#include "tensorboard/event_file.h"

#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <csignal>
#include <limits>

#include "base/error.h"
#include "base/json.h"
#include "support/run_spotter.h"
#include "support/test_support.h"

namespace spotter {
namespace {

namespace fs = std::filesystem;

double Now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

std::vector<fs::path> FilesOf(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  return files;
}

std::string Hex(const std::string& bytes) {
  std::string digits;
  for (const char byte : bytes) digits += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return digits;
}

/// For each of TensorBoard's readers: scalars, images and texts, by tag a list of [wall time, step, value].
Json ReadByTensorBoard(const fs::path& folder) {
  const Outcome outcome =
      RunCommand({*OraclePython(), SourceFolder() / "tests" / "support" / "read_event_files.py", folder},
                 {.timeout_seconds = 100});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const Json answers = outcome.code == 0 ? Json::parse(outcome.out) : Json::object();
  EXPECT_GE(answers.size(), 2u);
  return answers;
}

/// The steps and values of a list of ReadByTensorBoard.
Json WithoutTimes(const Json& entries) {
  Json rest = Json::array();
  for (const Json& entry : entries) rest.push_back({entry[1], entry[2]});
  return rest;
}

class ReadEvents : public testing::Test {
 protected:
  void SetUp() override {
    if (!OraclePython()) GTEST_SKIP() << kNoOraclePython;
  }
  const fs::path& folder() const { return folder_.path(); }

 private:
  const TemporaryFolder folder_;
};

TEST_F(ReadEvents, ScalarsImagesAndTextComeBack) {
  const double before = Now();
  EventFile file(folder());
  const std::vector<std::pair<int64_t, double>> losses = {
      {0, 2.302585092994046}, {1, 0.1}, {1 << 30, -1e-30}, {int64_t{1} << 40, 3e38}};
  for (const auto& [step, value] : losses) file.Scalar(step, "loss/training", value);
  file.Scalar(7, "Ünïcode", 1);
  const std::string png = ReadText(Fixture("data/colour.png"));  // 37 x 23 pixels
  file.Image(3, "samples", 23, 37, png);
  const std::string markdown = "# A run\n\n| a | b |\n|---|---|\n| 1 | ü |\n";
  file.Text(0, "recipe", markdown);
  file.Flush();
  const double after = Now();

  Json scalars = Json::array();
  for (const auto& [step, value] : losses) scalars.push_back({step, static_cast<double>(static_cast<float>(value))});
  Json answers = ReadByTensorBoard(folder());
  for (auto& [reader, answer] : answers.items()) {
    SCOPED_TRACE(reader);
    EXPECT_EQ(answer["scalars"].size(), 2u);
    EXPECT_EQ(WithoutTimes(answer["scalars"]["loss/training"]), scalars);
    EXPECT_EQ(WithoutTimes(answer["scalars"]["Ünïcode"]), Json::parse("[[7, 1.0]]"));
    EXPECT_EQ(answer["images"].size(), 1u);
    EXPECT_EQ(WithoutTimes(answer["images"]["samples"]), Json::array({{3, {"37", "23", Hex(png)}}}));
    EXPECT_EQ(answer["texts"].size(), 1u);
    EXPECT_EQ(WithoutTimes(answer["texts"]["recipe"]), Json::array({{0, markdown}}));
    for (const auto& [kind, tags] : answer.items()) {
      for (const auto& [tag, entries] : tags.items()) {
        for (const Json& entry : entries) {
          EXPECT_GE(entry[0].get<double>(), before) << kind << " " << tag;
          EXPECT_LE(entry[0].get<double>(), after) << kind << " " << tag;
        }
      }
    }
  }
}

// Two processes, one after the other, as when a run is stopped at step 3 and resumed from a checkpoint at step 2.
TEST_F(ReadEvents, ARestartVoidsWhatFollowedTheCheckpoint) {
  EventFile first(folder());
  for (int64_t step = 0; step < 4; ++step) first.Scalar(step, "loss", 10.0 + static_cast<double>(step));
  first.Flush();
  EventFile resumed(folder());
  resumed.Restart(2);
  for (int64_t step = 2; step < 5; ++step) resumed.Scalar(step, "loss", 20.0 + static_cast<double>(step));
  resumed.Flush();
  Json answers = ReadByTensorBoard(folder());
  for (auto& [reader, answer] : answers.items()) {
    EXPECT_EQ(WithoutTimes(answer["scalars"]["loss"]),
              Json::parse("[[0, 10.0], [1, 11.0], [2, 22.0], [3, 23.0], [4, 24.0]]"))
        << reader;
  }
}

TEST_F(ReadEvents, NumbersThatAreNotFiniteAndBytesThatAreNotUtf8DontStopTheReader) {
  EventFile file(folder());
  file.Scalar(0, "loss", std::numeric_limits<double>::quiet_NaN());
  file.Scalar(1, "loss", -std::numeric_limits<double>::infinity());
  file.Scalar(2, "caf\xe9", 1);
  file.Text(3, "names", "caf\xe9");
  file.Scalar(4, "loss", 1);
  file.Flush();
  Json answers = ReadByTensorBoard(folder());
  for (auto& [reader, answer] : answers.items()) {
    SCOPED_TRACE(reader);
    EXPECT_EQ(WithoutTimes(answer["scalars"]["loss"]), Json::parse(R"([[0, "nan"], [1, "-inf"], [4, 1.0]])"));
    EXPECT_EQ(WithoutTimes(answer["scalars"]["caf\ufffd"]), Json::parse("[[2, 1.0]]"));
    EXPECT_EQ(WithoutTimes(answer["texts"]["names"]), Json::parse("[[3, \"caf\ufffd\"]]"));
  }
}

TEST(EventFile, IsAlwaysANewOne) {
  const TemporaryFolder folder;
  const fs::path runs = folder.path() / "run" / "tensorboard";
  const EventFile first(runs), second(runs), third(runs);
  EXPECT_EQ(FilesOf(runs).size(), 3u);
  EXPECT_TRUE(first.path().filename().string().starts_with("events.out.tfevents."));
}

TEST(EventFile, WhatIsFlushedIsThereForAReader) {
  const TemporaryFolder folder;
  EventFile file(folder.path());
  const auto before = fs::file_size(file.path());
  EXPECT_GT(before, 0u);
  file.Scalar(0, "loss", 1);
  file.Flush();
  EXPECT_GT(fs::file_size(file.path()), before);
}

TEST(EventFile, NamesTheFolderThatCantHoldIt) {
  const TemporaryFolder folder;
  WriteText(folder.path() / "file", "");
  try {
    EventFile(folder.path() / "file" / "events");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kIo);
    EXPECT_NE(std::string(error.what()).find((folder.path() / "file").string()), std::string::npos) << error.what();
  }
}

TEST(EventFile, AFullDiskIsSaidByFlush) {
  const TemporaryFolder folder;
  EventFile file(folder.path());
  // A limit on the size of files stands for the full disk.
  struct rlimit old {};
  ::getrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, SIG_IGN);
  struct rlimit small = old;
  small.rlim_cur = 1000;
  ::setrlimit(RLIMIT_FSIZE, &small);
  file.Text(0, "long", std::string(100'000, 'x'));
  file.Scalar(1, "loss", 1);
  EXPECT_THROW(file.Flush(), Error);
  ::setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, SIG_DFL);
  EXPECT_THROW(file.Flush(), Error) << "the file stays damaged";
}

}  // namespace
}  // namespace spotter
