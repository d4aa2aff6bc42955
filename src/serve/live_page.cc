// SPDX-License-Identifier: Apache-2.0
#include "serve/live_page.h"

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "base/files.h"
#include "http/http_server.h"
#include "page/page.h"
#include "report/progress.h"

namespace spotter {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kStillOpen = std::chrono::seconds(3);  // a page asks every second
constexpr auto kPatience = std::chrono::seconds(5);

HttpResponse JsonResponse(const Json& json) { return {.content_type = "application/json", .body = DumpJson(json)}; }

HttpResponse HtmlResponse(std::string page) {
  return {.content_type = "text/html; charset=utf-8",
          .body = std::move(page),
          .headers = {{"Content-Security-Policy", std::string(kPagePolicy)}}};
}

}  // namespace

/// What the page shows. The training thread changes it, the server's thread reads it.
class LivePage::Content {
 public:
  Content(int port, const Dataset& data, const Splits& splits, const TrainSettings& settings, const Network& network,
          const Preprocessing& preprocessing)
      : data_(data),
        splits_(splits),
        settings_(settings),
        network_(network.text(), network.input_shape(), network.classes()),
        preprocessing_(preprocessing),
        server_("127.0.0.1", port, [this](const HttpRequest& request) { return Answer(request); }) {}

  std::string url() const { return server_.url(); }

  template <typename Change>
  void Update(Change change) {
    const std::lock_guard lock(mutex_);
    change(*this);
  }

  void AwaitViewers() {
    std::unique_lock lock(mutex_);
    if (Clock::now() - last_asked_ > kStillOpen) return;
    const bool asked = seen_.wait_for(lock, kPatience, [&] { return final_was_seen_; });
    lock.unlock();
    if (asked) server_.Drain(kPatience);  // what was asked for is still on its way
  }

  struct Run {
    std::string name;
    Json record = Json::object();  // run.json
    std::string recipe;
    TrainState state;
  };
  Run run;
  std::string progress = "starting";
  int64_t version = 0;     // rises when there is more to show than the line of progress
  std::string final_page;  // with these the run is done
  Json final_content;

 private:
  ReportInput InputOf(const Run& now) const {
    return {.name = now.name,
            .run = now.record,
            .recipe = now.recipe,
            .settings = settings_,
            .state = now.state,
            .data = data_,
            .splits = splits_,
            .network = network_,
            .preprocessing = preprocessing_};
  }

  /// Renders without the lock, so that training never waits for a page.
  HttpResponse Answer(const HttpRequest& request) {
    std::unique_lock lock(mutex_);
    last_asked_ = Clock::now();
    const bool done = !final_page.empty();
    if (request.method != "GET") return {.status = 405, .body = "only GET\n"};
    if (request.path == "/state.json")
      return JsonResponse({{"progress", progress}, {"version", version}, {"done", done}});
    if (request.path != "/" && request.path != "/content.json") return {.status = 404, .body = "there is only /\n"};
    final_was_seen_ = done;
    if (done) {
      seen_.notify_all();
      return request.path == "/" ? HtmlResponse(final_page) : JsonResponse(final_content);
    }
    const Run now = run;
    lock.unlock();
    return request.path == "/" ? HtmlResponse(RenderLivePage(InputOf(now))) : JsonResponse(RenderContent(InputOf(now)));
  }

  const Dataset& data_;
  const Splits& splits_;
  const TrainSettings& settings_;
  Network network_;  // its own, since training replaces the other's weights
  const Preprocessing preprocessing_;
  std::mutex mutex_;
  std::condition_variable seen_;
  Clock::time_point last_asked_{};
  bool final_was_seen_ = false;
  HttpServer server_;  // last: it answers as soon as it is there
};

LivePage::LivePage(int port, const Dataset& data, const Splits& splits, const TrainSettings& settings,
                   const Network& network, const Preprocessing& preprocessing)
    : content_(std::make_unique<Content>(port, data, splits, settings, network, preprocessing)) {}

LivePage::~LivePage() = default;

std::string LivePage::url() const { return content_->url(); }

void LivePage::SetRun(const RunFolder& run) { run_ = &run; }

void LivePage::OnBegin() {
  const Json record = run_->ReadRun();
  const std::string recipe = ReadFile(run_->recipe_file());
  content_->Update([&](Content& c) {
    c.run.name = run_->name();
    c.run.record = record;
    c.run.recipe = recipe;
    ++c.version;
  });
}

void LivePage::OnStep(const StepReport& report) {
  content_->Update([&](Content& c) { c.progress = ProgressText(report); });
}

void LivePage::OnEpoch(const TrainState& state, bool) {
  content_->Update([&](Content& c) {
    c.run.state = state;
    ++c.version;
  });
}

void LivePage::Say(const std::string& text) {
  content_->Update([&](Content& c) { c.progress = text; });
}

void LivePage::Finish(const ReportInput& input, const std::string& line) {
  std::string page = RenderPage(input);
  Json final_content = RenderContent(input);
  content_->Update([&](Content& c) {
    c.final_page = std::move(page);
    c.final_content = std::move(final_content);
    c.progress = line;
    ++c.version;
  });
  content_->AwaitViewers();
}

}  // namespace spotter
