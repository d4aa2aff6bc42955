// SPDX-License-Identifier: Apache-2.0
#include "serve/service.h"

#include <openssl/crypto.h>

#include "api/inference.h"
#include "api/openapi.h"
#include "api/predict.h"
#include "base/json.h"
#include "page/html.h"
#include "serve/assets.h"
#include "serve/prediction_jobs.h"
#include "serve/routes.h"

namespace spotter {
namespace {

constexpr const char* kPagePolicy =
    "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob: mediastream:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'";

HttpResponse JsonResponse(const Json& json) {
  return {.content_type = "application/json", .body = DumpJson(json) + "\n"};
}

HttpResponse NoPlace() { return Busy("more requests are under way than can be answered soon; try again later"); }

bool IsForPredictions(const Route& route) {
  return route.endpoint == Endpoint::kPredict || route.endpoint == Endpoint::kInfer;
}

}  // namespace

/// It travels as the request's ticket, from the header to the answer.
struct PredictionService::Call {
  RouteMatch match;
  ServiceClock::time_point began = ServiceClock::now();
  std::shared_ptr<void> place;  // of a request for predictions, until it becomes a job
  std::atomic<bool> finished = false;

  const char* route() const { return match.route == nullptr ? "none" : match.route->path; }
};

PredictionService::PredictionService(ModelShelf& shelf, const ServiceSettings& settings)
    : shelf_(shelf),
      settings_(settings),
      open_api_(DumpJson(api::OpenApi(!settings.token.empty())) + "\n"),
      admission_(settings.open_requests, settings.body_bytes_in_all),
      queue_(static_cast<size_t>(settings.workers), settings.largest_batch),
      workers_(queue_, metrics_, settings.workers) {}

PredictionService::~PredictionService() = default;

bool PredictionService::HasToken(const HttpRequest& request) const {
  const std::string* header = request.Header("Authorization");
  const std::string wanted = "Bearer " + settings_.token;
  return header != nullptr && header->size() == wanted.size() &&
         CRYPTO_memcmp(header->data(), wanted.data(), wanted.size()) == 0;
}

std::optional<HttpResponse> PredictionService::Admit(HttpRequest& request) {
  const auto call = std::make_shared<Call>();
  request.ticket = call;
  call->match = MatchRoute(request.method, request.path);
  auto refusal = Refuse(request, *call);
  if (refusal) Count(*call, refusal->status);
  return refusal;
}

std::optional<HttpResponse> PredictionService::Refuse(HttpRequest& request, Call& call) const {
  const Route* route = call.match.route;
  if (route == nullptr && call.match.allow.empty())
    return HttpError(404, "there is nothing here; /api/openapi.json tells what there is");
  if (route == nullptr) {
    HttpResponse response = HttpError(405, request.method + " is not possible here; " + call.match.allow + " is");
    response.headers.emplace_back("Allow", call.match.allow);
    return response;
  }
  if (!settings_.token.empty() && !route->open && !HasToken(request)) {
    HttpResponse response = HttpError(401, "a token is needed: Authorization: Bearer TOKEN");
    response.headers.emplace_back("WWW-Authenticate", "Bearer");
    return response;
  }
  if (!IsForPredictions(*route)) return {};
  if (const std::string* encoding = request.Header("Content-Encoding"); encoding != nullptr && *encoding != "identity")
    return HttpError(415, "compressed bodies are not taken; send it without Content-Encoding");
  try {
    if (route->endpoint == Endpoint::kPredict) api::CheckContentType(request);
  } catch (const api::Refusal& refusal) {
    return HttpError(refusal.status(), refusal.what());
  }
  if (request.length.value_or(0) > settings_.longest_body) return BodyTooLong(settings_.longest_body);
  call.place = admission_.Enter(request.length.value_or(settings_.longest_body));
  if (call.place == nullptr) return NoPlace();
  return {};
}

void PredictionService::OnSlowBody(HttpRequest& request) {
  std::static_pointer_cast<Call>(request.ticket)->place.reset();
}

void PredictionService::Serve(std::shared_ptr<HttpExchange> exchange) {
  const auto call = std::static_pointer_cast<Call>(exchange->request.ticket);
  try {
    if (IsForPredictions(*call->match.route))
      StartJob(exchange, *call);
    else
      Finish(*exchange, *call, AnswerNow(*call));
  } catch (const api::Refusal& refusal) {
    Finish(*exchange, *call, HttpError(refusal.status(), refusal.what()));
  }
}

void PredictionService::StartJob(const std::shared_ptr<HttpExchange>& exchange, Call& call) {
  if (call.place == nullptr) call.place = admission_.Enter(exchange->request.body.size());
  if (call.place == nullptr) return Finish(*exchange, call, NoPlace());
  const auto job = std::make_shared<Job>();
  job->exchange = exchange;
  job->place = std::move(call.place);
  job->began = ServiceClock::now();  // the body took the time that the client needed for it
  job->deadline = job->began + settings_.deadline;
  // The call lives in the exchange's request, and that in the job.
  job->finish = [this, &call](Job& job, HttpResponse response) { Finish(*job.exchange, call, std::move(response)); };
  if (call.match.route->endpoint == Endpoint::kInfer) {
    job->model = FindModel(shelf_, call.match.model, call.match.version);
    PrepareInfer(*job);
  } else {
    PreparePredict(*job, shelf_);
  }
  open_jobs_.Add(job);
  queue_.Add(job);
}

void PredictionService::Finish(HttpExchange& exchange, Call& call, HttpResponse response) {
  if (call.finished.exchange(true)) return;
  Count(call, response.status);
  exchange.Answer(std::move(response));
}

void PredictionService::Count(const Call& call, int status) {
  metrics_.CountRequest(call.route(), status, std::chrono::duration<double>(ServiceClock::now() - call.began).count());
  if (status == 503 && call.match.route != nullptr && IsForPredictions(*call.match.route))
    metrics_.CountRejected("queue_full");
  if (status == 504) metrics_.CountRejected("deadline");
  if (status == 499) metrics_.CountRejected("client_gone");
}

HttpResponse PredictionService::AnswerNow(const Call& call) {
  const bool names_one = std::string_view(call.route()).find("{model}") != std::string_view::npos;
  const auto model = names_one ? FindModel(shelf_, call.match.model, call.match.version) : nullptr;
  const int channels = names_one ? model->model().preprocessing.shape.channels : 0;
  const size_t classes = names_one ? model->model().classes.size() : 0;
  const bool ready = this->ready();
  switch (call.match.route->endpoint) {
    case Endpoint::kPage:
      return {.content_type = "text/html; charset=utf-8",
              .body = Fill(kClassifierHtml, {{"HEAD", "<link rel=\"stylesheet\" href=\"serve.css\">"},
                                             {"SCRIPTS", "<script src=\"serve.js\"></script>"}}),
              .headers = {{"Content-Security-Policy", kPagePolicy}}};
    case Endpoint::kStyle:
      return {.content_type = "text/css; charset=utf-8", .body = kClassifierCss};
    case Endpoint::kScript:
      return {.content_type = "text/javascript; charset=utf-8", .body = kServeScript};
    case Endpoint::kModels: {
      Json list = Json::array();
      for (const auto& each : shelf_.all()) list.push_back(each->about());
      return JsonResponse({{"models", std::move(list)}});
    }
    case Endpoint::kOpenApi:
      return {.content_type = "application/json", .body = open_api_};
    case Endpoint::kMetrics:
      return {.content_type = api::kMetricsContentType, .body = metrics_.Render(Gauges())};
    case Endpoint::kServer:
      return JsonResponse(api::ServerMetadata());
    case Endpoint::kLive:
      return JsonResponse({{"live", true}});
    case Endpoint::kReady: {
      HttpResponse response = JsonResponse({{"ready", ready}, {"live", true}});
      response.status = ready ? 200 : 503;
      return response;
    }
    case Endpoint::kModel:
      return JsonResponse(api::ModelMetadata(model->name(), {model->version()}, channels, classes));
    case Endpoint::kModelReady: {
      HttpResponse response = JsonResponse({{"name", model->name()}, {"ready", ready}});
      response.status = ready ? 200 : 503;
      return response;
    }
    case Endpoint::kModelConfig:
      return JsonResponse(
          api::ModelConfig(model->name(), channels, classes, static_cast<int64_t>(settings_.largest_batch)));
    case Endpoint::kRepositoryIndex: {
      Json list = Json::array();
      for (const auto& each : shelf_.all())
        list.push_back(
            {{"name", each->name()}, {"version", each->version()}, {"state", ready ? "READY" : "UNAVAILABLE"}});
      return JsonResponse(list);
    }
    case Endpoint::kPredict:
    case Endpoint::kInfer:
      break;
  }
  return HttpError(500, "an internal error");
}

void PredictionService::Reload(const std::function<void(const std::string&)>& tell) {
  metrics_.CountReload(shelf_.Reload(tell));
}

api::MetricGauges PredictionService::Gauges() const {
  const HttpServer* server = server_;
  api::MetricGauges now{.ready = ready(),
                        .hanging_workers = workers_.hanging(),
                        .queued_images = queue_.queued_images(),
                        .open_requests = admission_.requests(),
                        .connections = server == nullptr ? 0 : server->connections(),
                        .models = {}};
  for (const auto& each : shelf_.all()) now.models.push_back({each->name(), each->version()});
  return now;
}

}  // namespace spotter
