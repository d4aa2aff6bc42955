// SPDX-License-Identifier: Apache-2.0
// What tests of every layer need: the source tree, folders that vanish, environment variables that come back.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

namespace spotter {

inline std::filesystem::path SourceFolder() { return SPOTTER_SOURCE_DIR; }
inline std::filesystem::path Fixture(const std::string& name) { return SourceFolder() / "tests" / "fixtures" / name; }

/// ../shared/data of a developer's checkout: real images for the larger checks. Empty when it is not there.
inline std::filesystem::path SharedData() {
  const auto folder = SourceFolder().parent_path() / "shared" / "data";
  return std::filesystem::exists(folder / "cifar10-jpeg.tar.gz") ? folder : std::filesystem::path();
}

/// The Python with the packages of tests/requirements.txt, once scripts/setup all has made it; a test that needs it is
/// skipped without, with kNoOraclePython as the reason.
inline std::optional<std::filesystem::path> OraclePython() {
  const auto folder = SourceFolder() / "third_party" / "python";
  if (!std::filesystem::exists(folder / "complete")) return std::nullopt;
  return folder / "bin" / "python";
}
inline constexpr const char* kNoOraclePython = "third_party/python is not there; scripts/setup all makes it";

/// Debian's browser, for playwright's executable_path. Ubuntu has none that is not a snap.
inline std::optional<std::filesystem::path> Chromium() {
  const std::filesystem::path program = "/usr/bin/chromium";
  return std::filesystem::exists(program) ? std::optional(program) : std::nullopt;
}
inline constexpr const char* kNoChromium = "/usr/bin/chromium is not there; on Debian, scripts/setup all installs it";

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "spotter-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("can't make a temporary folder");
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class ScopedEnvironment {
 public:
  ScopedEnvironment(std::string name, const std::string& value) : name_(std::move(name)) {
    if (const char* old = std::getenv(name_.c_str())) old_ = old;
    ::setenv(name_.c_str(), value.c_str(), 1);
  }
  ~ScopedEnvironment() {
    if (old_) {
      ::setenv(name_.c_str(), old_->c_str(), 1);
    } else {
      ::unsetenv(name_.c_str());
    }
  }
  ScopedEnvironment(const ScopedEnvironment&) = delete;
  ScopedEnvironment& operator=(const ScopedEnvironment&) = delete;

 private:
  std::string name_;
  std::optional<std::string> old_;
};

inline std::string ReadText(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline void WriteText(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

}  // namespace spotter
