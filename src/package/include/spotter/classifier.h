// SPDX-License-Identifier: Apache-2.0
// Spotter's models in a C++ program of your own:
//
//   find_package(spotter REQUIRED)
//   target_link_libraries(your_program PRIVATE spotter::spotter)
//
// docs/package.md has the example. Nothing else of Spotter's or libtorch's headers is needed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace spotter {

struct ClassProbability {
  std::string name;
  double probability = 0;  // in [0, 1]
};

/// A trained model. Images are brought to its size and normalised as they were in training, and the answers are those
/// of `spotter predict`. Every error is a std::runtime_error whose text is one line for a person. One call to an object
/// at a time. The number of threads is OpenMP's, of the thread that makes the object: its own parallel loops get it
/// too.
class Classifier {
 public:
  /// A run's folder or a model file. threads: 0 is one a core. Throws when there is no model, or it is damaged.
  explicit Classifier(const std::string& run_or_model, int threads = 0);
  ~Classifier();
  Classifier(Classifier&&) noexcept;
  Classifier& operator=(Classifier&&) noexcept;

  const std::vector<std::string>& classes() const;

  /// The `top` most probable classes (all, where there are fewer), the most probable first. Throws when the file can't
  /// be read, or is no JPEG, PNG or WebP image, or damaged.
  std::vector<ClassProbability> ClassifyFile(const std::string& file, size_t top = 5);

  /// The same of a file's bytes in memory.
  std::vector<ClassProbability> ClassifyBytes(std::string_view bytes, size_t top = 5);

  /// The same of decoded pixels, uint8 (height, width, channels), C order; channels 1 (grey) or 3 (RGB). Throws for
  /// other shapes.
  std::vector<ClassProbability> ClassifyPixels(const uint8_t* pixels, int height, int width, int channels,
                                               size_t top = 5);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace spotter
