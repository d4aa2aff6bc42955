// SPDX-License-Identifier: Apache-2.0
// The one exception type of Spotter, and the exit codes that scripts rely on.
//
// A message is one line for a person: what was found, what was expected, what to do next. Only main() catches it.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace spotter {

/// The exit code of the program, by kind of failure. 0 is success.
enum class ExitCode : int {
  kInternal = 1,  // a bug of ours, or an error that no other kind describes
  kUsage = 2,     // wrong option, recipe or layer list
  kData = 3,      // the data set or an image can't be used
  kModel = 4,     // a model file or checkpoint is invalid
  kDiverged = 5,  // training met a loss that is not finite
  kIo = 6,        // reading, writing, disk full, download
  kStopped = 75,  // stopped by a signal, checkpoint saved: run again with --resume
};

class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

/// Throws Error(code, formatted message).
template <typename... Args>
[[noreturn]] void Fail(ExitCode code, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(code, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace spotter
