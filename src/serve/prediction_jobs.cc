// SPDX-License-Identifier: Apache-2.0
#include "serve/prediction_jobs.h"

#include <fmt/format.h>

#include "api/inference.h"
#include "api/predict.h"
#include "base/text.h"
#include "serve/served_model.h"

namespace spotter {
namespace {

HttpResponse WritePredictAnswer(const Job& job, size_t top) {
  const Model& model = job.model->model();
  std::vector<api::ImagePrediction> predictions;
  for (size_t i = 0; i < job.answers.size(); ++i) {
    const ImageAnswer& answer = job.answers[i];
    api::ImagePrediction& prediction = predictions.emplace_back();
    prediction.name = job.images.list[i].name;
    prediction.problem = answer.problem;
    prediction.heat_map = answer.heat_map;
    if (!answer.problem.empty()) continue;
    for (const auto& [label, probability] : job.model->MostProbableOf(answer.logits, top))
      prediction.top.emplace_back(model.classes[label], probability);
  }
  const double seconds = std::chrono::duration<double>(ServiceClock::now() - job.began).count();
  return api::WritePredictions(job.model->name(), job.model->version(), predictions, seconds);
}

HttpResponse WriteInferAnswer(const Job& job, const api::InferRequest& asked) {
  api::InferAnswer all{.model = job.model->name(),
                       .version = job.model->version(),
                       .classes = job.model->model().classes,
                       .logits = {},
                       .probabilities = {}};
  for (size_t i = 0; i < job.answers.size(); ++i) {
    const ImageAnswer& answer = job.answers[i];
    // Tensors have no place for an error of one image.
    if (!answer.problem.empty())
      return HttpError(400, fmt::format("image {} can't be used: {}", i + 1, answer.problem));
    all.logits.insert(all.logits.end(), answer.logits.begin(), answer.logits.end());
    for (const double p : job.model->ProbabilitiesOf(answer.logits)) all.probabilities.push_back(static_cast<float>(p));
  }
  return api::WriteInferAnswer(asked, all);
}

}  // namespace

std::shared_ptr<ServedModel> FindModel(const ModelShelf& shelf, const std::string& name, const std::string& version) {
  auto model = shelf.Find(name);
  if (model != nullptr && (version.empty() || version == model->version())) return model;
  if (model != nullptr)
    throw api::Refusal(404, fmt::format("the model '{}' has version {} now, not '{}'", name, model->version(),
                                        Printable(version.substr(0, 40))));
  std::vector<std::string> names;
  for (const auto& each : shelf.all()) names.push_back(each->name());
  throw api::Refusal(
      404, fmt::format("there is no model '{}'; there is {}", Printable(name.substr(0, 80)), Join(names, ", ")));
}

void PreparePredict(Job& job, const ModelShelf& shelf) {
  const auto asked = std::make_shared<api::PredictRequest>(api::ReadQuery(job.exchange->request));
  const std::string named = asked->model;
  job.model = FindModel(shelf, named);
  job.read = [asked, named, &shelf](Job& job) {
    api::ReadBody(job.exchange->request, *asked);
    if (asked->model != named) job.model = FindModel(shelf, asked->model);
    if (!asked->heat_map.empty() && job.model->about().at("heat_map") != true)
      throw api::Refusal(400, fmt::format("the model '{}' has no convolution, so that no heat map can be made of it",
                                          job.model->name()));
    job.heat_map = asked->heat_map;
    job.images = std::move(asked->images);
  };
  job.write = [asked](const Job& job) { return WritePredictAnswer(job, static_cast<size_t>(asked->top)); };
}

void PrepareInfer(Job& job) {
  const auto asked = std::make_shared<api::InferRequest>();
  job.read = [asked](Job& job) {
    *asked = api::ReadInferRequest(job.exchange->request, job.model->model().preprocessing.shape.channels);
    job.images = std::move(asked->images);
  };
  job.write = [asked](const Job& job) { return WriteInferAnswer(job, *asked); };
}

}  // namespace spotter
