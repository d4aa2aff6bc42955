// SPDX-License-Identifier: Apache-2.0
// A training run small enough for a test: 90 colour images of 8 x 8 pixels in memory, three classes, a network with
// every kind of state (batch norm, dropout), augmentation on.
#pragma once

#include <ATen/ATen.h>

#include <functional>

#include "base/random.h"
#include "evaluate/compute.h"
#include "support/test_support.h"
#include "train/new_model.h"
#include "train/trainer.h"

namespace spotter {

/// Noise with a 4 x 4 patch of the class's colour somewhere. The label is the index modulo 3.
inline Dataset ColourPatches(int64_t images = 90) {
  Dataset data;
  data.source = data.layout = "colour patches";
  data.fingerprint = "0123456789abcdef";
  data.shape = {8, 8, 3};
  data.classes = {"red", "green", "blue"};
  std::shared_ptr<uint8_t[]> pixels(new uint8_t[static_cast<size_t>(images * data.shape.size())]);
  for (int64_t i = 0; i < images; ++i) {
    uint8_t* image = pixels.get() + i * data.shape.size();
    const auto words = RandomWords(99, Stream::kBench, 0, static_cast<uint64_t>(i));
    const auto top = static_cast<int>(BoundedInt(words[0], 5)), left = static_cast<int>(BoundedInt(words[1], 5));
    for (int y = 0; y < 8; ++y) {
      for (int x = 0; x < 8; ++x, image += 3) {
        const auto noise = RandomWords(98, Stream::kBench, static_cast<uint32_t>(8 * y + x), static_cast<uint64_t>(i));
        for (int c = 0; c < 3; ++c) image[c] = static_cast<uint8_t>(noise[static_cast<size_t>(c)] % 160);
        if (y >= top && y < top + 4 && x >= left && x < left + 4) image[i % 3] = 230;
      }
    }
    data.labels.push_back(static_cast<int32_t>(i % 3));
    data.parts.push_back(Part::kNone);
    data.names.push_back("image " + std::to_string(i));
  }
  data.pixels = pixels;
  return data;
}

/// Sees every step and epoch of a run; a test may act on them.
class WatchingObserver : public TrainObserver {
 public:
  void OnStep(const StepReport& report) override {
    ++steps;
    if (on_step) on_step(report);
  }
  void OnEpoch(const TrainState& state, bool best) override {
    epochs.push_back(state.history.back());
    best_so_far.push_back(best);
  }
  void OnNote(const std::string& text) override { notes.push_back(text); }

  std::function<void(const StepReport&)> on_step;
  int64_t steps = 0;
  std::vector<EpochRecord> epochs;
  std::vector<bool> best_so_far;
  std::vector<std::string> notes;
};

struct SmallRun {
  SmallRun() {
    settings.model = "conv 8 same relu, batchnorm, maxpool 2, dropout 0.2, flatten, dense 16 relu, dense classes";
    settings.epochs = 3;
    settings.batch_size = 16;
    settings.seed = 5;
    settings.schedule.learning_rate = 0.01;
    settings.flip = true;
    settings.shift = 1;
  }
  std::filesystem::path last() const { return folder.path() / "last.safetensors"; }
  std::filesystem::path best() const { return folder.path() / "best.safetensors"; }

  /// A new process would build all of this anew, so every call does. The model stays for the test to look at.
  TrainOutcome Train(bool resume = false) {
    const Compute compute = PrepareCompute({.device = "cpu", .precision = precision, .threads = 1});
    static uint64_t process = 0;
    at::manual_seed(++process);  // nor would libtorch's generator be where the last one left it
    const Splits splits = MakeSplits(data, validation_fraction, 0, static_cast<uint64_t>(settings.seed));
    model.emplace(NewModel(settings, data, splits));
    const TrainJob job{settings, data, splits, compute, *model, folder.path(), &observer};
    return spotter::Train(job, resume);
  }

  TemporaryFolder folder;
  Dataset data = ColourPatches();
  TrainSettings settings;
  std::string precision = "fp32";
  double validation_fraction = 24.0 / 90;  // 8 of the 30 of each class
  WatchingObserver observer;
  std::optional<Model> model;
};

}  // namespace spotter
