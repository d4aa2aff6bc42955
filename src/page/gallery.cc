// SPDX-License-Identifier: Apache-2.0
#include "page/gallery.h"

#include <algorithm>
#include <map>
#include <span>

#include "base/error.h"
#include "draw/pixels.h"
#include "evaluate/evaluator.h"

namespace spotter {
namespace {

constexpr int kSide = 64;
constexpr int64_t kMostPixels = 2'500'000;
constexpr int kColumns = 40;
constexpr size_t kTop = 3;

/// What was predicted of the evaluated images, and how sure the model was of it.
struct Answers {
  std::vector<int32_t> predictions;
  std::vector<double> confidences;
};

Answers AnswersOf(const Evaluation& e, size_t classes) {
  Answers answers;
  for (size_t i = 0; i < e.labels.size(); ++i) {
    const auto [label, probability] = MostProbable(std::span(e.logits).subspan(i * classes, classes), 1).front();
    answers.predictions.push_back(static_cast<int32_t>(label));
    answers.confidences.push_back(probability);
  }
  return answers;
}

/// Positions of the wrong (or right) images, by falling (or rising) confidence.
std::vector<size_t> Ranked(const Evaluation& e, const Answers& answers, bool right, size_t most) {
  std::vector<size_t> list;
  for (size_t i = 0; i < e.labels.size(); ++i) {
    if ((answers.predictions[i] == e.labels[i]) == right) list.push_back(i);
  }
  std::stable_sort(list.begin(), list.end(), [&](size_t a, size_t b) {
    return right ? answers.confidences[a] < answers.confidences[b] : answers.confidences[a] > answers.confidences[b];
  });
  list.resize(std::min(list.size(), most));
  return list;
}

/// All positions, cell by cell in turn: the first of each cell of the confusion matrix, the largest cell first, then
/// the second of each.
std::vector<size_t> InTurns(const Evaluation& e, const Answers& answers) {
  std::map<std::pair<int32_t, int32_t>, std::vector<size_t>> cells;
  for (size_t i = 0; i < e.labels.size(); ++i) cells[{e.labels[i], answers.predictions[i]}].push_back(i);
  size_t longest = 0;
  for (auto& [cell, members] : cells) {
    std::stable_sort(members.begin(), members.end(),
                     [&](size_t a, size_t b) { return answers.confidences[a] > answers.confidences[b]; });
    longest = std::max(longest, members.size());
  }
  std::vector<const std::vector<size_t>*> largest_first;
  for (const auto& [cell, members] : cells) largest_first.push_back(&members);
  std::stable_sort(largest_first.begin(), largest_first.end(),
                   [](const auto* a, const auto* b) { return a->size() > b->size(); });
  std::vector<size_t> order;
  for (size_t turn = 0; turn < longest; ++turn) {
    for (const auto* members : largest_first) {
      if (turn < members->size()) order.push_back((*members)[turn]);
    }
  }
  return order;
}

Example MakeExample(const Evaluation& e, const Answers& answers, int64_t index, size_t position, size_t classes) {
  return {.index = index,
          .truth = e.labels[position],
          .prediction = answers.predictions[position],
          .top = MostProbable(std::span(e.logits).subspan(position * classes, classes), kTop)};
}

PixelView View(const Dataset& data, int64_t index) {
  return {data.shape.height, data.shape.width, data.shape.channels, data.image(index)};
}

/// Heat maps of what spoke for the prediction, of the first `count` examples.
void AddHeat(Gallery& gallery, size_t count, const Model& model, const Dataset& data, const Compute& compute) {
  if (count == 0 || !CanExplain(model.network)) return;
  std::vector<int64_t> indices;
  std::vector<int32_t> targets;
  for (size_t i = 0; i < count; ++i) {
    indices.push_back(gallery.examples[i].index);
    targets.push_back(gallery.examples[i].prediction);
  }
  const auto maps = ExplainImages(model, data, indices, targets, compute);
  ImageSheet sheet(gallery.tile_height, gallery.tile_width, gallery.columns);
  for (size_t i = 0; i < count; ++i) {
    const Picture blended = BlendHeat(View(data, indices[i]), maps[i].values);
    gallery.examples[i].heat_tile = sheet.Add(Thumbnail(blended.view(), kSide).view());
  }
  gallery.heat = sheet.picture();
}

}  // namespace

Gallery MakeGallery(const Model& model, const Dataset& data, std::span<const int64_t> indices,
                    const Evaluation& evaluation, const Compute& compute) {
  const size_t classes = model.classes.size();
  const Answers answers = AnswersOf(evaluation, classes);
  Gallery gallery;
  gallery.columns = kColumns;
  std::map<size_t, size_t> place;  // position -> example
  const auto add = [&](size_t position) {
    const auto [entry, is_new] = place.try_emplace(position, gallery.examples.size());
    if (is_new) gallery.examples.push_back(MakeExample(evaluation, answers, indices[position], position, classes));
    return entry->second;
  };
  for (const size_t i : Ranked(evaluation, answers, /*right=*/false, kListed)) gallery.mistakes.push_back(add(i));
  for (const size_t i : Ranked(evaluation, answers, /*right=*/true, kListed)) gallery.unsure.push_back(add(i));
  const size_t listed = gallery.examples.size();
  if (indices.empty()) return gallery;

  const Picture tile = Thumbnail(View(data, indices[0]), kSide);
  gallery.tile_height = tile.height;
  gallery.tile_width = tile.width;
  const auto most = static_cast<size_t>(kMostPixels / (int64_t{tile.height} * tile.width));
  for (const size_t position : InTurns(evaluation, answers)) {
    if (gallery.examples.size() >= most) break;
    add(position);
  }
  ImageSheet sheet(tile.height, tile.width, kColumns);
  for (Example& example : gallery.examples)
    example.tile = sheet.Add(Thumbnail(View(data, example.index), kSide).view());
  gallery.images = sheet.picture();
  AddHeat(gallery, listed, model, data, compute);
  return gallery;
}

}  // namespace spotter
