// SPDX-License-Identifier: Apache-2.0
// Works out parts, classes and samples from the paths of images.
#include "data/image_folder.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "base/error.h"
#include "base/text.h"

namespace spotter {
namespace {

constexpr std::string_view kExpected =
    "expected class folders with images inside, such as cat/1.jpg and dog/2.jpg, or train/cat/1.jpg and "
    "test/cat/2.jpg";

std::optional<Part> PartOf(std::string_view folder) {
  const std::string name = Lowercase(folder);
  if (name == "train" || name == "training") return Part::kTrain;
  if (name == "val" || name == "valid" || name == "validation") return Part::kValidation;
  if (name == "test") return Part::kTest;
  return std::nullopt;
}

/// The first part of a path, and the rest after its '/'; no `rest` for a file at the top.
struct Cut {
  std::string_view top;
  std::optional<std::string_view> rest;
};
Cut CutTop(std::string_view path) {
  const size_t slash = path.find('/');
  if (slash == std::string_view::npos) return {path, std::nullopt};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

/// Whether a path leads into a class folder of a part, as "train/cat/1.jpg" does.
bool LeadsIntoPart(std::string_view path) {
  const Cut cut = CutTop(path);
  return cut.rest && PartOf(cut.top) && CutTop(*cut.rest).rest;
}

/// A file that is an image or is meant as one.
struct Candidate {
  size_t file = 0;
  std::string_view path;  // below the folders that were looked through
};

class Planner {
 public:
  Planner(const FileTree& tree, const std::vector<ImagePeek>& peeks) : tree_(tree), peeks_(peeks) {}
  FolderPlan Plan();

 private:
  void Collect();
  void LookThroughWrappers();
  void CheckParts() const;
  void Place(const Candidate& candidate);
  void CheckLooseImages() const;
  void NameClasses();
  void CheckOutside() const;
  void CheckClassFolders() const;
  void TakeSamples();
  bool HasPlaced(Part part) const;
  [[noreturn]] void FailNoImages() const;

  std::string where() const { return Printable(tree_.where()); }

  const FileTree& tree_;
  const std::vector<ImagePeek>& peeks_;
  std::vector<Candidate> candidates_;
  std::string_view prefix_;  // the folders looked through, with a final '/'
  bool has_parts_ = false;
  struct Placed {
    const Candidate* candidate;
    Part part;
    std::string_view class_name;
  };
  std::vector<Placed> placed_;
  std::array<const Candidate*, 4> loose_{};  // of each part, one that lies in no class folder
  std::vector<const Candidate*> outside_;    // of the parts
  FolderPlan plan_;
};

void Planner::FailNoImages() const {
  for (const TreeFile& file : tree_.files()) {
    const std::string name = Lowercase(file.name);
    for (const std::string_view extension : {".tar", ".tar.gz", ".tgz", ".zip"}) {
      if (!name.ends_with(extension)) continue;
      Fail(ExitCode::kData, "'{}' holds no images but the archive '{}'; give the archive's own path", where(),
           Printable(file.name));
    }
  }
  Fail(ExitCode::kData, "'{}' holds no JPEG, PNG or WebP images{}; {}", where(),
       tree_.files().empty() ? " (it is empty)" : "", kExpected);
}

void Planner::Collect() {
  for (size_t i = 0; i < tree_.files().size(); ++i) {
    if (peeks_[i].kind != ImagePeek::Kind::kOther) candidates_.push_back({i, tree_.files()[i].name});
  }
  if (candidates_.empty()) FailNoImages();
}

void Planner::LookThroughWrappers() {
  for (;;) {
    const std::string_view top = CutTop(candidates_.front().path).top;
    bool is_class = false;   // it has images directly inside ...
    bool has_parts = false;  // ... which are strays where it also has parts
    for (const Candidate& candidate : candidates_) {
      const Cut cut = CutTop(candidate.path);
      if (cut.top != top || !cut.rest) return;  // several folders, or images, at the top
      is_class |= !CutTop(*cut.rest).rest;
      has_parts |= LeadsIntoPart(*cut.rest);
    }
    if (PartOf(top) || (is_class && !has_parts)) return;
    prefix_ = std::string_view(tree_.files()[candidates_.front().file].name).substr(0, prefix_.size() + top.size() + 1);
    for (Candidate& candidate : candidates_) candidate.path.remove_prefix(top.size() + 1);
  }
}

void Planner::CheckParts() const {
  std::map<Part, std::string_view> names;
  for (const Candidate& candidate : candidates_) {
    const Cut cut = CutTop(candidate.path);
    const std::optional<Part> part = PartOf(cut.top);
    if (!cut.rest || !part) continue;
    const auto [at, is_new] = names.emplace(*part, cut.top);
    if (is_new || at->second == cut.top) continue;
    Fail(ExitCode::kData, "'{}' holds both '{}' and '{}'; expected one {} part; merge them", where(),
         Printable(at->second), Printable(cut.top), PartName(*part));
  }
}

void Planner::Place(const Candidate& candidate) {
  Cut cut = CutTop(candidate.path);
  Part part = Part::kNone;
  if (has_parts_) {
    const std::optional<Part> named = PartOf(cut.top);
    if (!cut.rest || !named) {
      outside_.push_back(&candidate);
      plan_.skipped.push_back({std::string(candidate.path), "it lies outside of train, val and test"});
      return;
    }
    part = *named;
    cut = CutTop(*cut.rest);
  }
  if (cut.rest) {
    placed_.push_back({&candidate, part, cut.top});
    return;
  }
  loose_[static_cast<size_t>(part)] = &candidate;
  plan_.skipped.push_back({std::string(candidate.path), "it lies in no class folder"});
}

bool Planner::HasPlaced(Part part) const {
  return std::any_of(placed_.begin(), placed_.end(), [&](const Placed& placed) { return placed.part == part; });
}

/// Single images are skipped, but a part or a whole data set of them was meant otherwise.
void Planner::CheckLooseImages() const {
  for (const Part part : {Part::kTrain, Part::kValidation, Part::kTest}) {
    const Candidate* loose = loose_[static_cast<size_t>(part)];
    if (loose == nullptr || HasPlaced(part)) continue;
    const std::string folder = Printable(CutTop(loose->path).top);
    Fail(ExitCode::kData, "'{}' has images directly in '{}', such as '{}'; {}", where(), folder, Printable(loose->path),
         part == Part::kTrain
             ? std::string(kExpected)
             : fmt::format("expected class folders, such as {}/cat/1.jpg; move '{}' elsewhere to train "
                           "without it",
                           folder, folder));
  }
  const auto in_no_class = [](const Candidate& candidate) {
    const Cut cut = CutTop(candidate.path);
    return !cut.rest || PartOf(cut.top);
  };
  if (placed_.empty() || (!has_parts_ && std::all_of(candidates_.begin(), candidates_.end(), in_no_class))) {
    Fail(ExitCode::kData, "'{}' has images that lie in no class folder, such as '{}'; {}", where(),
         Printable(candidates_.front().path), kExpected);
  }
}

void Planner::NameClasses() {
  plan_.for_training = HasPlaced(Part::kNone) || HasPlaced(Part::kTrain);
  std::set<std::string_view> names;
  for (const Placed& placed : placed_) {
    const bool names_a_class = !plan_.for_training || placed.part == Part::kNone || placed.part == Part::kTrain;
    if (names_a_class) names.insert(placed.class_name);
  }
  for (const Placed& placed : placed_) {
    if (names.contains(placed.class_name)) continue;
    Fail(ExitCode::kData,
         "'{}' has the class '{}' in its {} part but not in train; expected the same class folders in both", where(),
         Printable(placed.class_name), PartName(placed.part));
  }
  plan_.classes.assign(names.begin(), names.end());
}

/// A folder beside the parts with the same class folders is most likely a part by a name that we don't know.
void Planner::CheckOutside() const {
  for (const Candidate* candidate : outside_) {
    const Cut cut = CutTop(candidate->path);
    const Cut inside = CutTop(cut.rest.value_or(""));
    if (!inside.rest || !std::binary_search(plan_.classes.begin(), plan_.classes.end(), inside.top)) continue;
    Fail(ExitCode::kData,
         "'{}' holds images in '{}' beside its parts; expected only train, val and test; move it elsewhere", where(),
         Printable(cut.top));
  }
}

/// A class folder in which no image was found would otherwise vanish without a word.
void Planner::CheckClassFolders() const {
  for (const std::string_view folder : tree_.folders()) {
    if (!folder.starts_with(prefix_) || folder.size() == prefix_.size()) continue;
    Cut cut = CutTop(folder.substr(prefix_.size()));
    if (has_parts_ && (!cut.rest || PartOf(cut.top) != Part::kTrain)) continue;
    if (has_parts_) cut = CutTop(*cut.rest);
    if (cut.rest) continue;  // inside a class
    if (std::binary_search(plan_.classes.begin(), plan_.classes.end(), cut.top)) continue;
    Fail(ExitCode::kData, "the class folder '{}' in '{}' holds no images; put some in, or remove it", Printable(folder),
         where());
  }
}

void Planner::TakeSamples() {
  for (const Placed& placed : placed_) {
    const ImagePeek& peek = peeks_[placed.candidate->file];
    std::string name(placed.candidate->path);
    if (peek.kind == ImagePeek::Kind::kUnusable) {
      plan_.skipped.push_back({std::move(name), peek.reason});
      continue;
    }
    const auto at = std::lower_bound(plan_.classes.begin(), plan_.classes.end(), placed.class_name);
    const auto label = static_cast<int32_t>(at - plan_.classes.begin());
    plan_.samples.push_back({placed.candidate->file, placed.part, label, std::move(name)});
  }
  if (plan_.samples.empty()) {
    const Candidate& first = *placed_.front().candidate;
    Fail(ExitCode::kData, "none of the {} images in '{}' can be read, such as '{}': {}", placed_.size(), where(),
         Printable(first.path), peeks_[first.file].reason);
  }
  std::sort(plan_.samples.begin(), plan_.samples.end(), [](const FolderSample& a, const FolderSample& b) {
    return std::tie(a.part, a.label, a.name) < std::tie(b.part, b.label, b.name);
  });
  std::sort(plan_.skipped.begin(), plan_.skipped.end(),
            [](const SkippedFile& a, const SkippedFile& b) { return a.name < b.name; });
}

FolderPlan Planner::Plan() {
  Collect();
  LookThroughWrappers();
  // A folder named as a part is one when it holds class folders: 'train' may also be a class, beside 'bus' and 'car'.
  has_parts_ = std::any_of(candidates_.begin(), candidates_.end(),
                           [](const Candidate& candidate) { return LeadsIntoPart(candidate.path); });
  if (has_parts_) CheckParts();
  for (const Candidate& candidate : candidates_) Place(candidate);
  CheckLooseImages();
  NameClasses();
  CheckOutside();
  CheckClassFolders();
  TakeSamples();
  return std::move(plan_);
}

}  // namespace

FolderPlan PlanImageFolder(const FileTree& tree, const std::vector<ImagePeek>& peeks) {
  return Planner(tree, peeks).Plan();
}

}  // namespace spotter
