// SPDX-License-Identifier: Apache-2.0
// Event files: a run as TensorBoard shows it.
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

namespace spotter {

/// Adds to one file. What is written may stay in memory until Flush(), or the destructor, which is silent about a disk
/// that is full. Bytes of a tag or text that are not UTF-8 become U+FFFD.
class EventFile {
 public:
  /// Makes the folder where it is missing, and in it events.out.tfevents.SECONDS.HOST.PID: always a new file, with .1,
  /// .2, ... behind a name that is taken. Throws Error(kIo).
  explicit EventFile(const std::filesystem::path& folder);

  /// For a resumed run, before anything else: what the folder's earlier files hold of steps >= `step` is void.
  /// (To TensorBoard's fast reader a step voids what its own tag had from there on, which comes to the same.)
  void Restart(int64_t step);

  /// Shown under SCALARS and TIME SERIES. TensorBoard knows float32 only; NaN and infinities are allowed.
  void Scalar(int64_t step, const std::string& tag, double value);
  /// Shown under IMAGES. `png`: the bytes of a PNG file of height x width pixels.
  void Image(int64_t step, const std::string& tag, int height, int width, const std::string& png);
  /// Shown under TEXT.
  void Text(int64_t step, const std::string& tag, const std::string& markdown);

  /// Returns when all that was written is on the disk. Throws Error(kIo), also for a write before that failed.
  void Flush();

  const std::filesystem::path& path() const { return path_; }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  void Write(const std::string& event);

  std::filesystem::path path_;
  std::unique_ptr<std::FILE, Close> file_;
  int error_ = 0;  // errno of the first write that failed
};

}  // namespace spotter
