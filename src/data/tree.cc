// SPDX-License-Identifier: Apache-2.0
// What folders and archives have in common: names that are passed over, and telling images from other files.
#include "data/tree.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/text.h"

namespace spotter {
namespace {

/// A file with such a name is meant as an image, so the user is told when it is none.
bool IsNamedAsImage(std::string_view name) {
  constexpr std::array<std::string_view, 16> kExtensions = {"jpg",  "jpeg", "jpe", "jfif", "png",  "apng",
                                                            "webp", "gif",  "bmp", "tif",  "tiff", "heic",
                                                            "heif", "avif", "ppm", "pgm"};
  const std::string_view base = BaseName(name);
  const size_t dot = base.rfind('.');
  if (dot == std::string_view::npos) return false;
  const std::string extension = Lowercase(base.substr(dot + 1));
  return std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
}

ImagePeek Unusable(std::string reason) { return {ImagePeek::Kind::kUnusable, {}, std::move(reason)}; }

}  // namespace

bool IsHidden(std::string_view name) {
  constexpr std::array<std::string_view, 7> kNames = {
      "__macosx", "@eadir", "thumbs.db", "desktop.ini", "lost+found", "$recycle.bin", "system volume information"};
  return name.starts_with('.') || std::find(kNames.begin(), kNames.end(), Lowercase(name)) != kNames.end();
}

bool HasHiddenPart(std::string_view path) {
  const std::vector<std::string_view> parts = Split(path, '/');
  return std::any_of(parts.begin(), parts.end(), IsHidden);
}

std::string_view BaseName(std::string_view path) { return path.substr(path.rfind('/') + 1); }

ImagePeek PeekAt(std::string_view name, std::string_view bytes) {
  if (!LooksLikeImage(bytes) && !IsNamedAsImage(name)) return {};
  try {
    return {ImagePeek::Kind::kImage, ReadImageHeader(bytes), {}};
  } catch (const Error& error) {
    return Unusable(error.what());
  }
}

ImagePeek PeekAtProblem(const TreeFile& file) {
  return IsNamedAsImage(file.name) ? Unusable(file.problem) : ImagePeek{};
}

std::string LargerThan(int64_t most_bytes) {
  return fmt::format("larger than {}, the most that is read", HumanBytes(static_cast<double>(most_bytes)));
}

}  // namespace spotter
