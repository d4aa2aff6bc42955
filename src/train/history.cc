// SPDX-License-Identifier: Apache-2.0
#include "train/history.h"

#include <stdexcept>

namespace spotter {
namespace {

Json OptionalJson(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

std::optional<double> OptionalNumber(const Json& json) {
  return json.is_null() ? std::nullopt : std::optional<double>(json.get<double>());
}

EpochRecord EpochRecordFromJson(const Json& j) {
  return {.epoch = j.at("epoch"),
          .train_loss = j.at("train_loss"),
          .train_accuracy = j.at("train_accuracy"),
          .validation_loss = OptionalNumber(j.at("validation_loss")),
          .validation_accuracy = OptionalNumber(j.at("validation_accuracy")),
          .learning_rate = j.at("learning_rate"),
          .images_per_second = j.at("images_per_second"),
          .data_wait_fraction = j.at("data_wait_fraction"),
          .seconds = j.at("seconds")};
}

}  // namespace

double TrainState::seconds() const {
  double sum = sums.seconds;
  for (const EpochRecord& record : history) sum += record.seconds;
  return sum;
}

Json ToJson(const EpochRecord& r) {
  return {{"epoch", r.epoch},
          {"train_loss", r.train_loss},
          {"train_accuracy", r.train_accuracy},
          {"validation_loss", OptionalJson(r.validation_loss)},
          {"validation_accuracy", OptionalJson(r.validation_accuracy)},
          {"learning_rate", r.learning_rate},
          {"images_per_second", r.images_per_second},
          {"data_wait_fraction", r.data_wait_fraction},
          {"seconds", r.seconds}};
}

Json ToJson(const std::vector<EpochRecord>& history) {
  Json json = Json::array();
  for (const EpochRecord& record : history) json.push_back(ToJson(record));
  return json;
}

std::vector<EpochRecord> HistoryFromJson(const Json& json) {
  std::vector<EpochRecord> history;
  for (const Json& record : json) history.push_back(EpochRecordFromJson(record));
  return history;
}

Json ToJson(const TrainState& s) {
  return {{"epochs_done", s.epochs_done},
          {"sums",
           {{"steps", s.sums.steps},
            {"images", s.sums.images},
            {"correct", s.sums.correct},
            {"loss", s.sums.loss},
            {"train_seconds", s.sums.train_seconds},
            {"data_seconds", s.sums.data_seconds},
            {"seconds", s.sums.seconds}}},
          {"plateau", {{"factor", s.plateau.factor}, {"best", s.plateau.best}, {"waited", s.plateau.waited}}},
          {"best_epoch", s.best_epoch},
          {"best_value", s.best_value},
          {"epochs_since_best", s.epochs_since_best},
          {"stopped_early", s.stopped_early},
          {"history", ToJson(s.history)}};
}

TrainState TrainStateFromJson(const Json& j) {
  TrainState s;
  s.epochs_done = j.at("epochs_done");
  const Json& sums = j.at("sums");
  s.sums = {sums.at("steps"),         sums.at("images"),       sums.at("correct"), sums.at("loss"),
            sums.at("train_seconds"), sums.at("data_seconds"), sums.at("seconds")};
  s.plateau = {j.at("plateau").at("factor"), j.at("plateau").at("best"), j.at("plateau").at("waited")};
  s.best_epoch = j.at("best_epoch");
  s.best_value = j.at("best_value");
  s.epochs_since_best = j.at("epochs_since_best");
  s.stopped_early = j.at("stopped_early");
  s.history = HistoryFromJson(j.at("history"));
  if (s.epochs_done != static_cast<int64_t>(s.history.size()) || s.sums.steps < 0 || s.sums.images < s.sums.steps) {
    throw std::out_of_range("the counts contradict each other");
  }
  return s;
}

}  // namespace spotter
