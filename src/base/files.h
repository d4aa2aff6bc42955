// SPDX-License-Identifier: Apache-2.0
// Files, written so that a crash, a full disk or a signal leaves either the old content or the new, never a half.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace spotter {

/// The whole content of a file. Throws Error(kIo) naming the path and the system's reason; also when it is larger
/// than `max_bytes` (0: no limit).
std::string ReadFile(const std::filesystem::path& path, size_t max_bytes = 0);

/// Replaces `path` by `content` at once: a temporary name in the same folder (.NAME.tmp. and random digits), write,
/// fsync, close, rename, fsync of the folder. On failure the temporary file is removed, the old file is untouched, and
/// Error(kIo) is thrown. A process that is killed leaves the temporary file; it is in nobody's way. The pieces are
/// written one after another, so that large tensors need no copy.
/// A device or pipe is written to as it is.
void WriteFileAtomically(const std::filesystem::path& path, std::span<const std::string_view> pieces);
void WriteFileAtomically(const std::filesystem::path& path, std::string_view content);

/// fsync of a folder, so that a rename in it outlives a power cut. Throws Error(kIo).
void SyncFolder(const std::filesystem::path& folder);

/// Whether there is something of this name; a regular file (or a link to one); a folder (likewise). Throws Error(kIo)
/// when that can't be told, because a folder on the way may not be entered.
bool PathExists(const std::filesystem::path& path);
bool IsFile(const std::filesystem::path& path);
bool IsFolder(const std::filesystem::path& path);

/// The last part of a path as it stands in its folder, whatever way it was written: "runs/a/", "../runs/a" and "." in
/// that folder are all "a".
std::string LastName(const std::filesystem::path& path);

/// Makes a folder and its parents. Throws Error(kIo).
void MakeFolders(const std::filesystem::path& folder);

/// Where Spotter keeps data sets and decoded images: $SPOTTER_CACHE, else $XDG_CACHE_HOME/spotter, else
/// ~/.cache/spotter (the home is $HOME, else the one that the system knows for the user). A user without a home gets a
/// folder in the temporary one, made here and readable by no one else; Error(kIo) when somebody else has made it.
std::filesystem::path CacheFolder();

}  // namespace spotter
