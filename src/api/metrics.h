// SPDX-License-Identifier: Apache-2.0
// What a service counts, for Prometheus (text format 0.0.4). Labels come from fixed sets only: never from what a client
// sends.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace spotter::api {

/// Cumulative counts of values up to each bound, and their sum.
class Histogram {
 public:
  explicit Histogram(std::vector<double> bounds) : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {}
  void Add(double value);
  /// Its lines: NAME_bucket{LABELS,le="..."}, NAME_sum, NAME_count. `labels` as `route="x"`, or empty.
  std::string Lines(const std::string& name, const std::string& labels) const;

 private:
  std::vector<double> bounds_;
  std::vector<uint64_t> counts_;  // of each bucket alone; the last is beyond all bounds
  double sum_ = 0;
};

/// A model that is served now.
struct ServedModelLabel {
  std::string name;
  std::string version;
};

struct MetricGauges {
  bool ready = false;
  size_t hanging_workers = 0;
  size_t queued_images = 0;
  size_t open_requests = 0;
  size_t connections = 0;
  std::vector<ServedModelLabel> models;
};

/// Safe from any thread.
class Metrics {
 public:
  Metrics();

  /// One request has its answer: each is counted once. `route` is one of the service's own paths.
  void CountRequest(const std::string& route, int status, double seconds);
  void CountRejected(const std::string& reason);
  void CountImages(const std::string& model, size_t used, size_t unusable);
  void CountBatch(size_t images, double seconds);
  void CountWait(double seconds);
  void CountReload(bool success);

  /// The whole page, with what the process itself has used.
  std::string Render(const MetricGauges& now) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, int>, uint64_t> requests_;
  std::map<std::string, Histogram> durations_;  // by route
  std::map<std::string, uint64_t> rejected_;
  std::map<std::string, std::array<uint64_t, 2>> images_;  // by model: used, unusable
  std::array<uint64_t, 2> reloads_{};                      // failed, succeeded
  Histogram batch_images_;
  Histogram batch_seconds_;
  Histogram wait_seconds_;
};

inline constexpr const char* kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace spotter::api
