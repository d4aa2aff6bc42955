// SPDX-License-Identifier: Apache-2.0
#include <spotter/classifier.h>

#include <new>
#include <stdexcept>

#include "base/error.h"
#include "base/files.h"
#include "data/image.h"
#include "evaluate/calibration.h"
#include "evaluate/evaluator.h"
#include "model_file/model_file.h"
#include "report/run_folder.h"

namespace spotter {
namespace {

/// Errors of libraries as the header promises them: those of libtorch have many lines, and memory's say nothing.
template <typename Work>
auto InOneLine(Work&& work) {
  try {
    return work();
  } catch (const std::runtime_error&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw std::runtime_error("there is not enough memory");
  } catch (const std::exception& error) {
    const std::string_view text = error.what();
    throw std::runtime_error(std::string(text.substr(0, text.find('\n'))));
  }
}

}  // namespace

struct Classifier::State {
  State(const std::string& run_or_model, int threads)
      : model(LoadModel(FindModelFile(run_or_model))),
        compute(PrepareCompute({.device = "cpu", .precision = "auto", .threads = threads})),
        evaluator(model.network, model.preprocessing, compute) {}

  std::vector<ClassProbability> Classify(Image image, size_t top) {
    const Preprocessing& how = model.preprocessing;
    image = FitImage(std::move(image), how.shape, how.resize);
    const std::vector<int64_t> first = {0};
    std::vector<float> logits = evaluator.Logits(ToDataset({&image, 1}, how.shape), first);
    DivideByTemperature(logits, model.temperature);
    std::vector<ClassProbability> answer;
    for (const auto& [label, probability] : MostProbable(logits, top))
      answer.push_back({model.classes[label], probability});
    return answer;
  }

  Model model;
  Compute compute;
  Evaluator evaluator;
};

Classifier::Classifier(const std::string& run_or_model, int threads)
    : state_(InOneLine([&] { return std::make_unique<State>(run_or_model, threads); })) {}
Classifier::~Classifier() = default;
Classifier::Classifier(Classifier&&) noexcept = default;
Classifier& Classifier::operator=(Classifier&&) noexcept = default;

const std::vector<std::string>& Classifier::classes() const { return state_->model.classes; }

std::vector<ClassProbability> Classifier::ClassifyFile(const std::string& file, size_t top) {
  constexpr size_t kMostBytes = size_t{256} << 20;
  const std::string bytes = ReadFile(file, kMostBytes);
  try {
    return ClassifyBytes(bytes, top);
  } catch (const Error& error) {
    Fail(error.code(), "'{}' can't be used: {}", file, error.what());
  }
}

std::vector<ClassProbability> Classifier::ClassifyBytes(std::string_view bytes, size_t top) {
  return InOneLine([&] { return state_->Classify(DecodeImage(bytes), top); });
}

std::vector<ClassProbability> Classifier::ClassifyPixels(const uint8_t* pixels, int height, int width, int channels,
                                                         size_t top) {
  if (height < 1 || width < 1 || height > kMaxImageSide || width > kMaxImageSide || (channels != 1 && channels != 3))
    Fail(ExitCode::kUsage,
         "pixels of the shape ({}, {}, {}) were given; sides from 1 to {} and 1 or 3 channels were expected", height,
         width, channels, kMaxImageSide);
  const ImageShape shape{height, width, channels};
  return InOneLine([&] { return state_->Classify({shape, {pixels, pixels + shape.size()}}, top); });
}

}  // namespace spotter
