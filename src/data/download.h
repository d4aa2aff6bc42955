// SPDX-License-Identifier: Apache-2.0
// Downloads that end as a whole, verified file or not at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/progress.h"

namespace spotter {

struct Download {
  std::string file_name;
  int64_t bytes = 0;                 // 0: not known
  std::string md5;                   // lower-case hex, as its publisher gives it
  std::vector<std::string> mirrors;  // URLs, tried in order
};

/// When a mirror is given up. Tests shorten them.
struct DownloadLimits {
  int connect_seconds = 20;  // until it answers the connection
  int stall_seconds = 30;    // below 1 kB/s
};

/// Puts the file into `folder` and returns its path. A file of that name with the right checksum is kept as it is; one
/// with a wrong checksum is an error that names it (a user may have put it there; it is not overwritten). Each mirror
/// in turn: resumed from FILE.part by a range request, at most 5 redirects, http(s) only (https stays https), given up
/// when it stalls or does not answer. An answer that says another size than the known one (a page of an error or a
/// login) is refused before FILE.part is touched. Size and checksum are verified before the atomic rename; a FILE.part
/// that fails them is emptied: the same mirror is asked once more if it had only been resumed, else the next starts
/// from zero. Processes that want the same file wait for each other (FILE.lock). Throws Error(kIo) that lists every URL
/// with its reason, and says where to put the file by hand.
std::filesystem::path FetchFile(const Download& download, const std::filesystem::path& folder,
                                const Progress& progress = {}, const DownloadLimits& limits = {});

/// Throws Error(kIo) that names the file when its size is not the download's; the second also when its MD5 is another.
void VerifySize(const Download& download, const std::filesystem::path& path);
void VerifyFile(const Download& download, const std::filesystem::path& path, const Progress& progress = {});

}  // namespace spotter
