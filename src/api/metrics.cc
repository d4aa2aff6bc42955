// SPDX-License-Identifier: Apache-2.0
#include "api/metrics.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "base/version.h"

namespace spotter::api {
namespace {

// OpenTelemetry's for the duration of a request, and three below: a small network answers within a millisecond.
const std::vector<double> kSeconds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1,
                                      0.25,   0.5,   0.75,   1,     2.5,  5,     7.5,  10};
const std::vector<double> kImages = {1, 2, 4, 8, 16, 32, 64, 128, 256};

std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\' || c == '"') escaped += '\\';
    if (c == '\n')
      escaped += "\\n";
    else
      escaped += c;
  }
  return escaped;
}

std::string Heading(const char* name, const char* type, const char* help) {
  return fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

std::string Gauge(const char* name, const char* help, double value) {
  return Heading(name, "gauge", help) + fmt::format("{} {}\n", name, value);
}

double StartTime() {
  static const double start =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  return start;
}

/// The names that Prometheus' own clients use for these.
std::string ProcessMetrics() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  long pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  std::error_code error;
  size_t open = 0;
  for (auto entry = std::filesystem::directory_iterator("/proc/self/fd", error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error))
    ++open;
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  return Heading("process_cpu_seconds_total", "counter", "Processor time used, user and system.") +
         fmt::format("process_cpu_seconds_total {}\n", seconds(usage.ru_utime) + seconds(usage.ru_stime)) +
         Gauge("process_resident_memory_bytes", "Memory in use.",
               static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE))) +
         Gauge("process_open_fds", "Open file descriptors.", static_cast<double>(open)) +
         Gauge("process_max_fds", "The limit of open file descriptors.", static_cast<double>(files.rlim_cur)) +
         Gauge("process_start_time_seconds", "When the process began, in seconds since 1970.", StartTime());
}

}  // namespace

void Histogram::Add(double value) {
  ++counts_[static_cast<size_t>(std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin())];
  sum_ += value;
}

std::string Histogram::Lines(const std::string& name, const std::string& labels) const {
  std::string lines;
  const std::string comma = labels.empty() ? "" : ",";
  uint64_t total = 0;
  for (size_t i = 0; i < counts_.size(); ++i) {
    total += counts_[i];
    const std::string bound = i < bounds_.size() ? fmt::format("{}", bounds_[i]) : "+Inf";
    lines += fmt::format("{}_bucket{{{}{}le=\"{}\"}} {}\n", name, labels, comma, bound, total);
  }
  const std::string all = labels.empty() ? "" : "{" + labels + "}";
  return lines + fmt::format("{}_sum{} {}\n{}_count{} {}\n", name, all, sum_, name, all, total);
}

Metrics::Metrics() : batch_images_(kImages), batch_seconds_(kSeconds), wait_seconds_(kSeconds) { StartTime(); }

void Metrics::CountRequest(const std::string& route, int status, double seconds) {
  const std::lock_guard lock(mutex_);
  ++requests_[{route, status}];
  durations_.try_emplace(route, kSeconds).first->second.Add(seconds);
}

void Metrics::CountRejected(const std::string& reason) {
  const std::lock_guard lock(mutex_);
  ++rejected_[reason];
}

void Metrics::CountImages(const std::string& model, size_t used, size_t unusable) {
  const std::lock_guard lock(mutex_);
  auto& counts = images_[model];
  counts[0] += used;
  counts[1] += unusable;
}

void Metrics::CountBatch(size_t images, double seconds) {
  const std::lock_guard lock(mutex_);
  batch_images_.Add(static_cast<double>(images));
  batch_seconds_.Add(seconds);
}

void Metrics::CountWait(double seconds) {
  const std::lock_guard lock(mutex_);
  wait_seconds_.Add(seconds);
}

void Metrics::CountReload(bool success) {
  const std::lock_guard lock(mutex_);
  ++reloads_[success ? 1 : 0];
}

std::string Metrics::Render(const MetricGauges& now) const {
  const std::lock_guard lock(mutex_);
  std::string page = Heading("spotter_requests_total", "counter", "Requests answered, by route and HTTP status.");
  for (const auto& [key, count] : requests_)
    page += fmt::format("spotter_requests_total{{route=\"{}\",code=\"{}\"}} {}\n", key.first, key.second, count);
  page += Heading("spotter_request_duration_seconds", "histogram", "From the end of a request's header to its answer.");
  for (const auto& [route, histogram] : durations_)
    page += histogram.Lines("spotter_request_duration_seconds", "route=\"" + route + "\"");
  page += Heading("spotter_rejected_total", "counter", "Requests for predictions that were turned away, by reason.");
  for (const auto& [reason, count] : rejected_)
    page += fmt::format("spotter_rejected_total{{reason=\"{}\"}} {}\n", reason, count);
  page += Heading("spotter_images_total", "counter", "Images, by model and whether they could be used.");
  for (const auto& [model, counts] : images_) {
    page += fmt::format("spotter_images_total{{model=\"{}\",outcome=\"classified\"}} {}\n", Escaped(model), counts[0]);
    page += fmt::format("spotter_images_total{{model=\"{}\",outcome=\"unusable\"}} {}\n", Escaped(model), counts[1]);
  }
  page += Heading("spotter_batch_images", "histogram", "Images computed at once.");
  page += batch_images_.Lines("spotter_batch_images", "");
  page += Heading("spotter_batch_duration_seconds", "histogram", "Decoding and computing a batch.");
  page += batch_seconds_.Lines("spotter_batch_duration_seconds", "");
  page += Heading("spotter_queue_wait_seconds", "histogram", "From the end of a request to the first work on it.");
  page += wait_seconds_.Lines("spotter_queue_wait_seconds", "");
  page += Heading("spotter_model_reloads_total", "counter", "Attempts to load the models anew.");
  page += fmt::format("spotter_model_reloads_total{{outcome=\"failure\"}} {}\n", reloads_[0]);
  page += fmt::format("spotter_model_reloads_total{{outcome=\"success\"}} {}\n", reloads_[1]);
  page += Heading("spotter_model_info", "gauge", "The models that are served.");
  for (const auto& [name, version] : now.models)
    page += fmt::format("spotter_model_info{{model=\"{}\",version=\"{}\"}} 1\n", Escaped(name), Escaped(version));
  page += Heading("spotter_build_info", "gauge", "The program.");
  page += fmt::format("spotter_build_info{{version=\"{}\",commit=\"{}\"}} 1\n", kVersion, Escaped(kCommit));
  page += Gauge("spotter_ready", "Whether requests for predictions are taken.", now.ready ? 1 : 0);
  page += Gauge("spotter_hanging_workers", "Workers that seem to come back no more from a piece of work.",
                static_cast<double>(now.hanging_workers));
  page += Gauge("spotter_queued_images", "Images that wait.", static_cast<double>(now.queued_images));
  page += Gauge("spotter_open_requests", "Requests for predictions under way.", static_cast<double>(now.open_requests));
  page += Gauge("spotter_connections", "Connected clients.", static_cast<double>(now.connections));
  return page + ProcessMetrics();
}

}  // namespace spotter::api
