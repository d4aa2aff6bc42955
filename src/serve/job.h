// SPDX-License-Identifier: Apache-2.0
// A request for predictions under way: what was asked, what has come out image by image, and how it is told.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/given_image.h"
#include "http/http_server.h"

namespace spotter {

class ServedModel;

using ServiceClock = std::chrono::steady_clock;

struct ImageAnswer {
  std::string problem;        // why the image could not be used; the rest is empty then
  std::vector<float> logits;  // (classes)
  std::string heat_map;       // a data: URL, where one was asked for
};

struct Job {
  /// The answer to a job behind its deadline.
  static HttpResponse OutOfTime() {
    return HttpError(504, "there was no time for the request; try again later, or with fewer images");
  }

  std::shared_ptr<HttpExchange> exchange;
  std::shared_ptr<void> place;  // of Admission: the worker that answers gives it back, or whoever is the last to go
  std::shared_ptr<ServedModel> model;
  ServiceClock::time_point began;
  ServiceClock::time_point deadline;
  std::function<void(Job&)> read;                  // the body -> images, and the model where the body names it
  std::function<HttpResponse(const Job&)> write;   // when every image has its answer
  std::function<void(Job&, HttpResponse)> finish;  // sends an answer; of several the first

  api::GivenImages images;           // since read
  std::string heat_map;              // the method; empty: none
  std::vector<ImageAnswer> answers;  // one an image
  std::atomic<size_t> left = 0;      // images without an answer
};

}  // namespace spotter
