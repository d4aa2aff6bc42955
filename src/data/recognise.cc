// SPDX-License-Identifier: Apache-2.0
#include "data/recognise.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/text.h"

namespace spotter {
namespace {

/// Whether it is one of CIFAR-10's six batches: data_batch_1 to 5 and test_batch.
bool IsBatchName(std::string_view name) {
  if (name == "test_batch") return true;
  constexpr std::string_view kTrain = "data_batch_";
  return name.starts_with(kTrain) && name.size() == kTrain.size() + 1 && name.back() >= '1' && name.back() <= '5';
}

/// The official layout that a file of this name belongs to; kImageFolder for none.
Layout LayoutOf(std::string_view base_name) {
  constexpr std::string_view kBinary = ".bin";
  if (IsBatchName(base_name)) return Layout::kCifarPython;
  if (base_name.ends_with(kBinary) && IsBatchName(base_name.substr(0, base_name.size() - kBinary.size()))) {
    return Layout::kCifarBinary;
  }
  return ParseIdxName(base_name).valid ? Layout::kIdx : Layout::kImageFolder;
}

std::string_view FolderOf(std::string_view path) { return path.substr(0, path.size() - BaseName(path).size()); }

}  // namespace

std::string_view LayoutName(Layout layout) {
  switch (layout) {
    case Layout::kImageFolder:
      return "image folder";
    case Layout::kCifarBinary:
      return "CIFAR-10 binary";
    case Layout::kCifarPython:
      return "CIFAR-10 python";
    case Layout::kIdx:
      return "IDX";
  }
  return "image folder";
}

Recognised Recognise(const FileTree& tree) {
  std::map<std::string, Layout> found;  // by folder
  for (const TreeFile& file : tree.files()) {
    const Layout layout = LayoutOf(BaseName(file.name));
    if (layout == Layout::kImageFolder) continue;
    const auto [at, is_new] = found.emplace(FolderOf(file.name), layout);
    if (is_new || at->second == layout) continue;
    Fail(ExitCode::kData, "'{}{}' holds files of both {} and {}; expected one data set; move one of them elsewhere",
         Printable(tree.where()), at->first.empty() ? "" : "/" + Printable(at->first), LayoutName(at->second),
         LayoutName(layout));
  }
  if (found.empty()) return {};
  if (found.size() > 1) {
    Fail(ExitCode::kData, "'{}' holds {} data sets, such as '{}' and '{}'; expected one; give the path of one of them",
         Printable(tree.where()), found.size(), Printable(found.begin()->first), Printable(found.rbegin()->first));
  }
  return {found.begin()->second, found.begin()->first};
}

std::vector<size_t> OfficialFiles(const FileTree& tree, const Recognised& recognised) {
  std::vector<size_t> files;
  if (recognised.layout == Layout::kImageFolder) return files;
  for (size_t i = 0; i < tree.files().size(); ++i) {
    const std::string& name = tree.files()[i].name;
    if (FolderOf(name) != recognised.folder) continue;
    const std::string_view base = BaseName(name);
    if (LayoutOf(base) == recognised.layout || base.starts_with("batches.meta")) files.push_back(i);
  }
  return files;
}

IdxName ParseIdxName(std::string_view base_name) {
  IdxName name;
  std::string rest = Lowercase(base_name);
  const auto take = [&](std::string_view ending) {
    if (!rest.ends_with(ending)) return false;
    rest.resize(rest.size() - ending.size());
    return true;
  };
  const auto take_divider = [&] { return take("-") || take("."); };
  name.gzip = take(".gz");
  if (!take("ubyte") || !take_divider()) return name;
  name.images = take("idx3");
  if ((!name.images && !take("idx1")) || !take_divider()) return name;
  if (!take(name.images ? "images" : "labels") || !take_divider()) return name;
  name.train = take("train");
  if (!name.train && !take("t10k") && !take("test")) return name;
  name.valid = rest.empty() || take_divider() || take("_");
  name.prefix = rest;
  return name;
}

}  // namespace spotter
