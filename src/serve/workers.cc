// SPDX-License-Identifier: Apache-2.0
#include "serve/workers.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "base/error.h"
#include "base/service_thread.h"
#include "base/stopwatch.h"
#include "serve/served_model.h"

namespace spotter {
namespace {

Image ToImage(const api::GivenImage& given) {
  if (!given.decoded()) return DecodeImage(given.bytes);
  return {given.shape, {given.bytes.begin(), given.bytes.end()}};
}

/// Nothing is computed for a client that has gone, nor behind its time.
std::optional<HttpResponse> WhyDropped(const Job& job) {
  if (job.exchange->gone()) return HttpError(499, "the client has hung up");
  if (ServiceClock::now() > job.deadline) return Job::OutOfTime();
  return {};
}

/// Of a job that no other worker has: its place, with the memory that it stands for, is free when its client asks for
/// the next one.
void Answer(Job& job, HttpResponse response) {
  job.images = {};
  std::string().swap(job.exchange->request.body);
  job.place.reset();
  job.finish(job, std::move(response));
}

double Since(ServiceClock::time_point begin) {
  return std::chrono::duration<double>(ServiceClock::now() - begin).count();
}

}  // namespace

Workers::Workers(JobQueue& queue, api::Metrics& metrics, int count)
    : queue_(queue), metrics_(metrics), pulses_(static_cast<size_t>(count)), running_(pulses_.size()) {
  for (size_t i = 0; i < pulses_.size(); ++i) {
    threads_.push_back(ServiceThread("worker", [this, i] {
      Run(i);
      --running_;
    }));
  }
}

Workers::~Workers() {
  queue_.Stop();
  for (std::thread& thread : threads_) thread.join();
}

size_t Workers::hanging() const {
  return static_cast<size_t>(
      std::count_if(pulses_.begin(), pulses_.end(), [](const Pulse& pulse) { return pulse.Hangs(); }));
}

bool Workers::Stop() {
  queue_.Stop();
  while (running_ > 0) {
    if (hanging() > 0) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

void Workers::Run(size_t worker) {
  Work work;
  for (; queue_.Take(work); pulses_[worker].Rest()) {
    for (const auto& job : work.jobs) Read(worker, job);
    if (work.images.empty()) continue;
    try {
      Compute(worker, work.images);
    } catch (const std::exception&) {  // out of memory, most likely; the service lives on
      for (const QueuedImage& image : work.images) image.job->finish(*image.job, HttpError(500, "an internal error"));
    }
  }
}

void Workers::Read(size_t worker, const std::shared_ptr<Job>& job) {
  pulses_[worker].Beat();
  metrics_.CountWait(Since(job->began));
  if (auto reason = WhyDropped(*job)) return Answer(*job, *std::move(reason));
  try {
    job->read(*job);
    job->answers.resize(job->images.list.size());
    job->left = job->images.list.size();
  } catch (const api::Refusal& refusal) {
    return Answer(*job, HttpError(refusal.status(), refusal.what()));
  } catch (const std::exception&) {
    return Answer(*job, HttpError(500, "an internal error"));
  }
  queue_.AddImages(job);
}

void Workers::Compute(size_t worker, const std::vector<QueuedImage>& images) {
  const Stopwatch watch;
  ServedModel& model = *images.front().job->model;
  std::vector<QueuedImage> asked;  // those that are not dropped
  std::vector<Image> fitted;       // those of them that can be used, in order
  for (const QueuedImage& image : images) {
    if (auto reason = WhyDropped(*image.job)) {  // another worker may have another image of it, and say so, too
      image.job->finish(*image.job, *std::move(reason));
      continue;
    }
    pulses_[worker].Beat();
    asked.push_back(image);
    ImageAnswer& answer = image.job->answers[image.index];
    try {
      fitted.push_back(model.Fit(ToImage(image.job->images.list[image.index])));
    } catch (const Error& error) {
      answer.problem = error.what();
    }
  }
  pulses_[worker].Beat();
  const std::vector<float> logits = fitted.empty() ? std::vector<float>() : model.Logits(worker, fitted);
  const size_t classes = model.model().classes.size();
  size_t used = 0;
  for (const QueuedImage& image : asked) {
    Job& job = *image.job;
    ImageAnswer& answer = job.answers[image.index];
    if (answer.problem.empty()) {
      const auto row = std::span(logits).subspan(used * classes, classes);
      answer.logits.assign(row.begin(), row.end());
      if (!job.heat_map.empty() && model.about().at("heat_map") == true) {
        const auto method = job.heat_map == "gradcam" ? ExplainMethod::kGradCam : ExplainMethod::kHiResCam;
        pulses_[worker].Beat();
        answer.heat_map = model.HeatMapUrl(fitted[used], row, method);
      }
      ++used;
    }
    if (job.left.fetch_sub(1) == 1) Answer(job, job.write(job));
  }
  metrics_.CountImages(model.name(), used, asked.size() - used);
  if (!asked.empty()) metrics_.CountBatch(asked.size(), watch.Seconds());
}

}  // namespace spotter
