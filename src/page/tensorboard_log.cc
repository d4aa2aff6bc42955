// SPDX-License-Identifier: Apache-2.0
#include "page/tensorboard_log.h"

#include "draw/chart.h"
#include "page/pictures.h"
#include "page/samples.h"

namespace spotter {
namespace {

void AddPng(EventFile& file, int64_t step, const std::string& tag, const std::string& png) {
  const auto side = [&](size_t at) {  // big-endian, in the PNG's header
    int value = 0;
    for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<uint8_t>(png[at + i]);
    return value;
  };
  file.Image(step, tag, side(20), side(16), png);
}

void AddSvg(EventFile& file, int64_t step, const std::string& tag, const std::string& svg) {
  AddPng(file, step, tag, SvgToPng(svg, 1.5));
}

}  // namespace

TensorBoardLog::TensorBoardLog(std::filesystem::path folder, bool resumed)
    : folder_(std::move(folder)), resumed_(resumed) {}

EventFile& TensorBoardLog::Writer(std::unique_ptr<EventFile>& file, const std::string& name, int64_t step) {
  if (file == nullptr) {
    file = std::make_unique<EventFile>(folder_ / name);
    if (resumed_) file->Restart(step);
  }
  return *file;
}

void TensorBoardLog::AddEpoch(const EpochRecord& record) {
  const int64_t step = record.epoch - 1;
  EventFile& train = Writer(train_, "train", step);
  train.Scalar(step, "epoch_loss", record.train_loss);
  train.Scalar(step, "epoch_accuracy", record.train_accuracy);
  train.Scalar(step, "epoch_learning_rate", record.learning_rate);
  train.Scalar(step, "images_per_second", record.images_per_second);
  train.Flush();
  if (!record.validation_loss) return;
  EventFile& validation = Writer(validation_, "validation", step);
  validation.Scalar(step, "epoch_loss", *record.validation_loss);
  validation.Scalar(step, "epoch_accuracy", *record.validation_accuracy);
  validation.Flush();
}

void TensorBoardLog::AddResults(const ReportInput& input) {
  const int64_t step = input.state.epochs_done - 1;
  EventFile& train = Writer(train_, "train", step + 1);  // its scalars of this step stay
  AddPng(train, step, "training_images",
         EncodePng(Samples(input.data, input.splits, input.settings, input.preprocessing).view()));
  train.Flush();
  EventFile& test = Writer(test_, input.results->split, step + 1);
  test.Scalar(step, "final_loss", input.results->evaluation.metrics.loss);
  test.Scalar(step, "final_accuracy", input.results->evaluation.metrics.accuracy);
  AddSvg(test, step, "confusion_matrix", ConfusionSvg(input, /*normalised=*/false));
  AddSvg(test, step, "mistakes", ExamplesSvg(input, "Most confident mistakes", input.results->gallery.mistakes));
  test.Text(step, "recipe", "```\n" + input.recipe + "\n```");
  test.Flush();
}

}  // namespace spotter
