// SPDX-License-Identifier: Apache-2.0
// One image: bytes of a JPEG, PNG or WebP file -> pixels -> the size and channels that a network takes.
//
// Training, evaluation, prediction and serving all come through here, so that they can't differ.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/dataset.h"

namespace spotter {

struct Image {
  ImageShape shape;             // channels 1 or 3
  std::vector<uint8_t> pixels;  // (H, W, C)
};

/// Limits that are checked against the file's header, before any pixel is decoded.
inline constexpr int kMaxImageSide = 16384;
inline constexpr int64_t kMaxImagePixels = 50'000'000;

/// Whether the first bytes are those of a JPEG, PNG or WebP file. Names and extensions are never trusted.
bool LooksLikeImage(std::string_view bytes);

/// Width, height and whether the image is grey, from the header alone. Throws as DecodeImage.
ImageShape ReadImageHeader(std::string_view bytes);

/// Decodes a JPEG, PNG or WebP. Grey images give 1 channel, all others 3 (RGB). EXIF orientation is applied in JPEG
/// and WebP, and in PNG where it stands before the pixels. CMYK and YCCK JPEGs
/// are converted to RGB as Pillow does; 16-bit PNGs keep their high byte; transparency is laid over white; palettes are
/// expanded; the first frame of an animation is not decoded: it is an error. Throws Error(kData), its message naming
/// the reason only (the caller knows the file): not an image, too large, damaged (a decoder's warning about missing
/// data counts as damage).
Image DecodeImage(std::string_view bytes);

/// How an image of another shape becomes one of the network's.
enum class ResizePolicy {
  kStretch,  // both sides to the target, as Keras' image_dataset_from_directory does by default
  kCrop,     // the shorter side to the target, then the centre
  kPad,      // the longer side to the target, the rest black, centred
};

/// Resamples to height x width by the policy, and to `channels` (RGB -> grey by ITU-R 601 weights as Pillow's
/// "L"; grey -> RGB by repeating). The filter is bilinear with its support scaled by the reduction
/// (antialiased), as Pillow's Image.resize(BILINEAR): results differ by at most 1. An image that already has
/// the shape is returned unchanged.
Image FitImage(Image image, const ImageShape& target, ResizePolicy policy);

/// A data set of images that all have this shape, in order, without names and classes, labels all 0: a few images to
/// predict go the way of evaluation.
Dataset ToDataset(std::span<const Image> images, const ImageShape& shape);

}  // namespace spotter
