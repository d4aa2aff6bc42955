// SPDX-License-Identifier: Apache-2.0
// IDX, the format of MNIST and its kin: big-endian sizes, then bytes. One file of images and one of labels a part.
#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"
#include "data/gunzip.h"
#include "data/layouts.h"
#include "data/recognise.h"

namespace spotter {
namespace {

constexpr int64_t kMaxIdxBytes = int64_t{2} << 30;  // of one file, packed or not: it holds a whole part

// IDX files name no classes. Fashion-MNIST is known by the content of its training labels, rather than by the
// name it was asked for, so that it has its names from any path, packed or not. The order is its authors'.
constexpr std::string_view kFashionLabels = "775518db990ebf87";  // XXH3 of the unpacked file
constexpr std::array<const char*, 10> kFashionClasses = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                                                         "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};

/// A parsed file: its sizes, and the bytes after them.
struct IdxFile {
  std::string bytes;
  std::array<int64_t, 3> sizes{1, 1, 1};
  size_t header = 0;
  const uint8_t* data() const { return reinterpret_cast<const uint8_t*>(bytes.data()) + header; }
};

/// Unpacks and checks a file that must have so many dimensions.
IdxFile ParseIdx(std::string content, bool gzip, size_t dimensions) {
  IdxFile file;
  file.bytes = gzip ? Gunzip(content, static_cast<size_t>(kMaxIdxBytes)) : std::move(content);
  file.header = 4 + 4 * dimensions;
  const std::string magic{'\0', '\0', '\x08', static_cast<char>(dimensions)};
  if (file.bytes.size() < file.header || !file.bytes.starts_with(magic)) {
    Fail(ExitCode::kData, "it is no IDX file of bytes in {} dimension{}", dimensions, dimensions == 1 ? "" : "s");
  }
  const uint64_t available = file.bytes.size() - file.header;
  uint64_t expected = 1;
  for (size_t d = 0; d < dimensions; ++d) {
    uint32_t size = 0;
    for (size_t i = 0; i < 4; ++i) size = size << 8 | static_cast<uint8_t>(file.bytes[4 + 4 * d + i]);
    file.sizes[d] = size;
    if (size == 0) Fail(ExitCode::kData, "it holds nothing");
    if (expected > available / size) expected = available + 1;  // too short, whatever follows
    if (expected <= available) expected *= size;
  }
  if (expected != available) {
    Fail(ExitCode::kData, "it holds {} bytes after its header; expected as many as its sizes say",
         WithThousands(static_cast<int64_t>(available)));
  }
  return file;
}

/// The names of a set's files as they are here.
struct IdxNames {
  std::string images[2];  // train, test
  std::string labels[2];
};

/// The set in the folder; an unpacked file is preferred to a packed one. EMNIST's own archive holds six sets, told
/// apart by their prefixes; they are six ways to divide the same images, so that none is taken for the user.
IdxNames FindNames(const FileTree& tree, const std::string& folder) {
  std::map<std::string, IdxNames> sets;           // by prefix
  for (const bool want_packed : {true, false}) {  // the later overwrites
    for (const TreeFile& file : tree.files()) {
      const std::string_view base = BaseName(file.name);
      const IdxName name = ParseIdxName(base);
      if (!name.valid || name.gzip != want_packed || file.name != folder + std::string(base)) continue;
      IdxNames& set = sets[name.prefix];
      (name.images ? set.images : set.labels)[name.train ? 0 : 1] = file.name;
    }
  }
  std::vector<std::string> prefixes;
  for (const auto& [prefix, set] : sets) {
    prefixes.push_back(prefix.empty() ? "one without a prefix" : fmt::format("'{}'", Printable(prefix)));
    const bool whole_test = set.images[1].empty() == set.labels[1].empty();
    if (sets.size() > 1 || (!set.images[0].empty() && !set.labels[0].empty() && whole_test)) continue;
    Fail(ExitCode::kData,
         "'{}' is incomplete; expected {}train-images-idx3-ubyte, {}train-labels-idx1-ubyte, and the same of t10k or "
         "test, plain or .gz",
         Printable(tree.where()), prefix.empty() ? "" : Printable(prefix) + "-",
         prefix.empty() ? "" : Printable(prefix) + "-");
  }
  if (sets.size() > 1) {
    Fail(ExitCode::kData,
         "'{}' holds {} IDX data sets: {}; expected one; put the files of one into a folder of its own",
         Printable(tree.where()), sets.size(), Join(prefixes, ", "));
  }
  return sets.begin()->second;
}

struct IdxPart {
  Part part = Part::kTrain;
  IdxFile images;
  IdxFile labels;
};

IdxPart ReadPart(FileTree* tree, const std::string& images, const std::string& labels, Part part, int threads,
                 const Progress& progress) {
  std::vector<std::string> contents = ReadNamed(tree, {images, labels}, kMaxIdxBytes, threads, progress);
  IdxPart result;
  result.part = part;
  const auto parse = [&](const std::string& name, std::string& content, size_t dimensions) {
    try {
      return ParseIdx(std::move(content), ParseIdxName(BaseName(name)).gzip, dimensions);
    } catch (const Error& error) {
      FailFile(*tree, name, error.what());
    }
  };
  result.images = parse(images, contents[0], 3);
  result.labels = parse(labels, contents[1], 1);
  if (result.images.sizes[1] > kMaxImageSide || result.images.sizes[2] > kMaxImageSide) {
    FailFile(*tree, images, "its images are too large");
  }
  if (result.images.sizes[0] != result.labels.sizes[0]) {
    FailFile(*tree, labels,
             fmt::format("it holds {} labels for {} images", result.labels.sizes[0], result.images.sizes[0]));
  }
  return result;
}

/// The classes, and which of them each label of the files means.
struct Classes {
  std::vector<std::string> names;
  std::array<int32_t, 256> class_of{};
};

/// The labels that occur, in their order: EMNIST's letters begin at 1, and a selection of MNIST may lack some.
Classes NameClasses(const std::vector<IdxPart>& parts) {
  std::array<bool, 256> occurs{};
  for (const IdxPart& part : parts) {
    for (int64_t i = 0; i < part.labels.sizes[0]; ++i) occurs[part.labels.data()[i]] = true;
  }
  Classes classes;
  for (size_t label = 0; label < occurs.size(); ++label) {
    if (!occurs[label]) continue;
    classes.class_of[label] = static_cast<int32_t>(classes.names.size());
    classes.names.push_back(std::to_string(label));
  }
  FastHash hash;
  hash.Add(parts[0].labels.bytes);
  if (hash.Hex() == kFashionLabels) classes.names.assign(kFashionClasses.begin(), kFashionClasses.end());
  return classes;
}

}  // namespace

Dataset ReadIdx(FileTree* tree, const std::string& folder, const LoadOptions& options, const Progress& progress) {
  const IdxNames names = FindNames(*tree, folder);
  std::vector<IdxPart> parts;
  const auto read = [&](size_t k, Part part) {
    parts.push_back(ReadPart(tree, names.images[k], names.labels[k], part, options.threads, progress));
  };
  read(0, Part::kTrain);
  if (!names.images[1].empty()) {
    read(1, Part::kTest);
    if (!std::equal(parts[0].images.sizes.begin() + 1, parts[0].images.sizes.end(),
                    parts[1].images.sizes.begin() + 1)) {
      FailFile(*tree, names.images[1], "its images have another size than the training images");
    }
  }
  Dataset data;
  const Classes classes = NameClasses(parts);
  data.classes = classes.names;
  if (data.classes.size() < 2) FailFile(*tree, names.labels[0], "it holds only one class");
  int64_t total = 0;
  for (const IdxPart& part : parts) total += part.images.sizes[0];
  const ImageShape stored{static_cast<int>(parts[0].images.sizes[1]), static_cast<int>(parts[0].images.sizes[2]), 1};
  const std::shared_ptr<uint8_t[]> pixels = AllocatePixels(total, stored);
  for (const IdxPart& part : parts) {
    const int64_t n = part.images.sizes[0];
    std::copy_n(part.images.data(), n * stored.size(), pixels.get() + data.size() * stored.size());
    for (int64_t i = 0; i < n; ++i) {
      data.labels.push_back(classes.class_of[part.labels.data()[i]]);
      data.parts.push_back(part.part);
      data.names.push_back(fmt::format("{}/{}", PartName(part.part), i));
    }
  }
  SetPixels(pixels, stored, options, progress, &data);
  return data;
}

}  // namespace spotter
