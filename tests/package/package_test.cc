// SPDX-License-Identifier: Apache-2.0
// libspotter in a program of another project: found by find_package, from the build folder and from an installed one.
#include "cli/cli_test.h"

namespace spotter {
namespace {

class PackageTest : public CliTest {
 protected:
  void SetUp() override {
    MakeRun();
    MakeImageFolder(at("few"), {.each = 3, .side = 40, .seed = 3});
  }
  std::string Run(const Words& command, int code = 0) const {
    Surroundings patient = Here();
    patient.timeout_seconds = 200;
    const Outcome outcome = RunCommand(command, patient);
    EXPECT_EQ(outcome.code, code) << outcome.out << outcome.err;
    return outcome.out;
  }
  /// Configures and builds examples/classify against a prefix, and holds its answers against the program's.
  void TryExample(const std::string& prefix) const {
    Run({CMAKE_PROGRAM, "-G", "Ninja", "-S", (SourceFolder() / "examples" / "classify").string(), "-B",
         at("example").string(), "-DCMAKE_PREFIX_PATH=" + prefix, "-DCMAKE_BUILD_TYPE=Release"});
    Run({CMAKE_PROGRAM, "--build", at("example").string()});
    for (const auto& entry : fs::recursive_directory_iterator(at("few"))) {
      if (!entry.is_regular_file()) continue;
      const Json expected = SucceedWithJson({"predict", "run", entry.path().string(), "--top", "3", "--json"})[0];
      std::istringstream lines(Run({at("example/classify").string(), "run", entry.path().string()}));
      for (const Json& answer : expected["predictions"]) {
        std::string name;
        double probability = 0;
        ASSERT_TRUE(lines >> name >> probability);
        EXPECT_EQ(name, answer["class"]);
        EXPECT_NEAR(probability, answer["probability"].get<double>(), 1e-4);
      }
    }
  }
};

TEST_F(PackageTest, IsFoundInTheBuildFolder) { TryExample(BUILD_FOLDER); }

TEST_F(PackageTest, IsFoundWhereItWasInstalled) {
  Run({CMAKE_PROGRAM, "--install", BUILD_FOLDER, "--prefix", at("prefix").string()});
  TryExample(at("prefix").string());
  EXPECT_NE(Run({at("prefix/bin/spotter").string(), "--version"}).find("spotter"), std::string::npos);
  EXPECT_NE(Run({at("prefix/bin/spotter").string(), "predict", "run", "few"}).find("%"), std::string::npos);
}

}  // namespace
}  // namespace spotter
