// SPDX-License-Identifier: Apache-2.0
// What `spotter serve` answers: the page, the prediction API, the Open Inference Protocol, health and metrics.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "api/metrics.h"
#include "http/http_server.h"
#include "serve/admission.h"
#include "serve/job_queue.h"
#include "serve/model_shelf.h"
#include "serve/open_jobs.h"
#include "serve/workers.h"

namespace spotter {

struct ServiceSettings {
  int workers = 1;
  size_t open_requests = 256;                        // for predictions; more: 503
  uint64_t body_bytes_in_all = uint64_t{512} << 20;  // of all of those together; more: 503
  uint64_t longest_body = 32 << 20;                  // more: 413; and what a body may grow to that tells no length
  size_t largest_batch = 64;
  std::chrono::milliseconds deadline{10'000};  // for an answer, from the end of the request; more: 504
  std::string token;                           // requests must bear it; empty: none
};

class PredictionService : public HttpService {
 public:
  /// The shelf outlives it; the HttpServer that serves it ends before it does, or its answers go nowhere.
  PredictionService(ModelShelf& shelf, const ServiceSettings& settings);
  ~PredictionService() override;

  /// Refuses, before the body is read: unknown paths (404) and methods (405), a missing token (401), what can't be the
  /// body of such a request (413, 415), and what is beyond the bounds (503, with Retry-After).
  std::optional<HttpResponse> Admit(HttpRequest& request) override;
  /// Its place goes to others; it gets another one when the body has come, if there is one then.
  void OnSlowBody(HttpRequest& request) override;
  void Serve(std::shared_ptr<HttpExchange> exchange) override;

  /// From now on the service says that it is not ready (/v2/health/ready); it still answers. It says so by itself when
  /// all workers hang.
  void SetDraining() { draining_ = true; }

  /// Loads the models anew, as ModelShelf::Reload.
  void Reload(const std::function<void(const std::string&)>& tell);

  /// The end: what waits is computed first. False when a worker hangs; then to destroy the service would wait for ever.
  bool Stop() { return workers_.Stop(); }

  /// What still waits is let go unanswered: the time to end has come.
  void Abandon() { queue_.Clear(); }

  /// Whose clients the metrics count; nullptr: none.
  void SetServer(const HttpServer* server) { server_ = server; }

 private:
  struct Call;  // a request at its route

  std::optional<HttpResponse> Refuse(HttpRequest& request, Call& call) const;
  HttpResponse AnswerNow(const Call& call);
  void StartJob(const std::shared_ptr<HttpExchange>& exchange, Call& call);
  void Finish(HttpExchange& exchange, Call& call, HttpResponse response);
  void Count(const Call& call, int status);
  bool HasToken(const HttpRequest& request) const;
  api::MetricGauges Gauges() const;
  bool ready() const { return !draining_ && workers_.hanging() < workers_.count(); }

  ModelShelf& shelf_;
  ServiceSettings settings_;
  std::string open_api_;
  api::Metrics metrics_;
  Admission admission_;
  JobQueue queue_;
  OpenJobs open_jobs_{std::chrono::seconds(1)};
  std::atomic<bool> draining_ = false;
  std::atomic<const HttpServer*> server_ = nullptr;
  Workers workers_;  // last: they work with all the others
};

}  // namespace spotter
