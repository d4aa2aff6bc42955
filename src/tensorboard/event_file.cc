// SPDX-License-Identifier: Apache-2.0
#include "tensorboard/event_file.h"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

#include "base/error.h"
#include "base/files.h"
#include "tensorboard/event.h"
#include "tensorboard/record.h"

namespace spotter {
namespace {

std::string HostName() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "localhost";
}

double Now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

}  // namespace

EventFile::EventFile(const std::filesystem::path& folder) {
  constexpr int kAttempts = 1000;
  MakeFolders(folder);
  const std::string name =
      fmt::format("events.out.tfevents.{:010}.{}.{}", static_cast<int64_t>(Now()), HostName(), ::getpid());
  for (int attempt = 0; !file_; ++attempt) {
    path_ = folder / (attempt == 0 ? name : fmt::format("{}.{}", name, attempt));
    file_.reset(std::fopen(path_.c_str(), "wbxe"));  // x: never one that is there; e: not for child processes
    if (!file_ && (errno != EEXIST || attempt == kAttempts)) {
      Fail(ExitCode::kIo, "can't create '{}': {}", path_.string(), std::strerror(errno));
    }
  }
  Write(VersionEvent(Now()));
  Flush();
}

// TensorBoard's plugin_event_accumulator takes the first START of a folder for the beginning of the run, which voids
// nothing; so there are two.
void EventFile::Restart(int64_t step) {
  Write(StartEvent(Now(), step));
  Write(StartEvent(Now(), step));
}

void EventFile::Scalar(int64_t step, const std::string& tag, double value) {
  Write(ScalarEvent(Now(), step, tag, static_cast<float>(value)));
}

void EventFile::Image(int64_t step, const std::string& tag, int height, int width, const std::string& png) {
  Write(ImageEvent(Now(), step, tag, height, width, png));
}

void EventFile::Text(int64_t step, const std::string& tag, const std::string& markdown) {
  Write(TextEvent(Now(), step, tag, markdown));
}

void EventFile::Write(const std::string& event) {
  const std::string record = TfRecord(event);
  if (std::fwrite(record.data(), 1, record.size(), file_.get()) != record.size() && error_ == 0) error_ = errno;
}

void EventFile::Flush() {
  if ((std::fflush(file_.get()) != 0 || ::fsync(::fileno(file_.get())) != 0) && error_ == 0) error_ = errno;
  if (error_ != 0) {
    Fail(ExitCode::kIo, "can't write '{}': {}{}", path_.string(), std::strerror(error_),
         error_ == ENOSPC || error_ == EDQUOT ? "; free some space and run again" : "");
  }
}

}  // namespace spotter
