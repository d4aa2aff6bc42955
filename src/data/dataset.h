// SPDX-License-Identifier: Apache-2.0
// A labelled image data set in memory, and how it is divided into training, validation and test images.
//
// All images of a data set lie in one block of uint8 pixels, (N, H, W, C), C order; everything above works
// with indices into it, so that a split or a subset never copies pixels. This layer knows nothing of tensors.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace spotter {

struct ImageShape {
  int height = 0;
  int width = 0;
  int channels = 0;  // 1 (grey) or 3 (red, green, blue)
  int64_t size() const { return int64_t{height} * width * channels; }
  bool operator==(const ImageShape&) const = default;
};

/// Which part of the data set its author put an image into. kNone: the source has no parts (class folders
/// alone).
enum class Part : uint8_t { kNone = 0, kTrain = 1, kValidation = 2, kTest = 3 };
std::string_view PartName(Part part);  // "none", "train", "validation", "test"

/// A file that was named as an image but could not be used, and why.
struct SkippedFile {
  std::string name;
  std::string reason;
};

struct Dataset {
  std::string source;   // what the user asked for: a name or a path
  std::string located;  // the file or folder that was read for it
  std::string layout;   // "image folder", "CIFAR-10 binary", "CIFAR-10 python", "IDX"
  // 16 hex digits of the classes, names, parts, labels, shape and pixels: the same wherever the data lies and however
  // it is packed, another for any other image, size or way to resize.
  std::string fingerprint;
  ImageShape shape;
  bool resized = false;                     // some image had other sides than `shape`
  std::vector<std::string> classes;         // display order = label order
  std::vector<int32_t> labels;              // (N), 0 <= label < classes.size()
  std::vector<Part> parts;                  // (N)
  std::vector<std::string> names;           // (N), the path inside the data set; "train/17" where there are no files
  std::vector<SkippedFile> skipped;         // in order of name
  std::shared_ptr<const uint8_t[]> pixels;  // (N, H, W, C)

  int64_t size() const { return static_cast<int64_t>(labels.size()); }
  const uint8_t* image(int64_t index) const { return pixels.get() + index * shape.size(); }
};

/// Indices into a Dataset, ascending within each.
struct Splits {
  std::vector<int64_t> train;
  std::vector<int64_t> validation;
  std::vector<int64_t> test;
  bool made_validation = false;  // cut from the training images by us, not given by the data set
  bool made_test = false;
};

/// Divides a data set. Parts that the data set gives are kept. What it does not give is cut from the training images as
/// a pure function of the seed: a test part of `test_fraction` only where the data set has no parts at all, and a
/// validation part of `validation_fraction` where it has none. Fractions are in [0, 1). A cut takes that fraction of
/// the images in all, rounded to the nearest, shared among the classes by largest remainder; each class keeps a
/// training image, so a cut of few images may take fewer, or none. The test images are never used for validation.
///
/// A classifier is learnt from the result, so that Error(kData) is thrown when the data has fewer than two classes, no
/// training part, or a class without a training image.
Splits MakeSplits(const Dataset& data, double validation_fraction, double test_fraction, uint64_t seed);

/// Images of each class among `indices`, (classes).
std::vector<int64_t> ClassCounts(const Dataset& data, const std::vector<int64_t>& indices);

}  // namespace spotter
