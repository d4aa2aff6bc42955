// SPDX-License-Identifier: Apache-2.0
// Whether Prometheus takes the page is tested in tests/serve, with its client's parser, and with promtool where that is
// installed.
#include "api/metrics.h"

#include "support/test_support.h"

namespace spotter::api {
namespace {

TEST(Histogram, CountsUpToEachBound) {
  Histogram histogram({1, 2.5});
  for (const double value : {0.5, 1.0, 2.0, 99.0}) histogram.Add(value);
  EXPECT_EQ(
      histogram.Lines("h", "route=\"/\""),
      "h_bucket{route=\"/\",le=\"1\"} 2\nh_bucket{route=\"/\",le=\"2.5\"} 3\nh_bucket{route=\"/\",le=\"+Inf\"} 4\n"
      "h_sum{route=\"/\"} 102.5\nh_count{route=\"/\"} 4\n");
}

TEST(Metrics, TellWhatWasCounted) {
  Metrics metrics;
  metrics.CountRequest("/api/predict", 200, 0.002);
  metrics.CountRequest("/api/predict", 200, 0.2);
  metrics.CountRequest("/api/predict", 400, 0.001);
  metrics.CountRejected("queue_full");
  metrics.CountImages("m", 5, 1);
  metrics.CountBatch(6, 0.01);
  metrics.CountReload(false);
  const std::string page =
      metrics.Render({.ready = true, .queued_images = 3, .open_requests = 2, .connections = 1, .models = {{"m", "4"}}});
  for (const char* line :
       {"spotter_requests_total{route=\"/api/predict\",code=\"200\"} 2",
        "spotter_requests_total{route=\"/api/predict\",code=\"400\"} 1",
        "spotter_request_duration_seconds_count{route=\"/api/predict\"} 3",
        "spotter_rejected_total{reason=\"queue_full\"} 1", "spotter_images_total{model=\"m\",outcome=\"classified\"} 5",
        "spotter_images_total{model=\"m\",outcome=\"unusable\"} 1", "spotter_batch_images_sum 6",
        "spotter_model_reloads_total{outcome=\"failure\"} 1", "spotter_model_info{model=\"m\",version=\"4\"} 1",
        "spotter_ready 1", "spotter_queued_images 3", "spotter_open_requests 2", "spotter_connections 1"}) {
    EXPECT_NE(page.find("\n" + std::string(line) + "\n"), std::string::npos) << line << "\n" << page;
  }
  EXPECT_TRUE(page.ends_with("\n"));
}

}  // namespace
}  // namespace spotter::api
