// SPDX-License-Identifier: Apache-2.0
#include "serve/routes.h"

#include <array>

#include "base/text.h"

namespace spotter {
namespace {

constexpr std::array kRoutes = {
    Route{Endpoint::kPage, "GET", "/", true},
    Route{Endpoint::kStyle, "GET", "/serve.css", true},
    Route{Endpoint::kScript, "GET", "/serve.js", true},
    Route{Endpoint::kPredict, "POST", "/api/predict"},
    Route{Endpoint::kModels, "GET", "/api/models"},
    Route{Endpoint::kOpenApi, "GET", "/api/openapi.json", true},
    Route{Endpoint::kMetrics, "GET", "/metrics"},
    Route{Endpoint::kServer, "GET", "/v2", true},
    Route{Endpoint::kLive, "GET", "/v2/health/live", true},
    Route{Endpoint::kReady, "GET", "/v2/health/ready", true},
    Route{Endpoint::kModel, "GET", "/v2/models/{model}"},
    Route{Endpoint::kModel, "GET", "/v2/models/{model}/versions/{version}"},
    Route{Endpoint::kModelReady, "GET", "/v2/models/{model}/ready"},
    Route{Endpoint::kModelReady, "GET", "/v2/models/{model}/versions/{version}/ready"},
    Route{Endpoint::kModelConfig, "GET", "/v2/models/{model}/config"},
    Route{Endpoint::kModelConfig, "GET", "/v2/models/{model}/versions/{version}/config"},
    Route{Endpoint::kInfer, "POST", "/v2/models/{model}/infer"},
    Route{Endpoint::kInfer, "POST", "/v2/models/{model}/versions/{version}/infer"},
    Route{Endpoint::kRepositoryIndex, "POST", "/v2/repository/index"},
};

/// Whether a path is of a pattern; what stood in its places is set.
bool Fits(std::string_view pattern, std::string_view path, RouteMatch& match) {
  const auto wanted = Split(pattern, '/');
  const auto found = Split(path, '/');
  if (wanted.size() != found.size()) return false;
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i].starts_with('{') && found[i].empty()) return false;
    if (wanted[i] == "{model}")
      match.model = found[i];
    else if (wanted[i] == "{version}")
      match.version = found[i];
    else if (wanted[i] != found[i])
      return false;
  }
  return true;
}

}  // namespace

std::span<const Route> Routes() { return kRoutes; }

RouteMatch MatchRoute(std::string_view method, std::string_view path) {
  if (path.size() > 2 && path.ends_with('/')) path.remove_suffix(1);
  std::string allow;
  for (const Route& route : kRoutes) {
    RouteMatch match;
    if (!Fits(route.path, path, match)) continue;
    if (method == route.method) {
      match.route = &route;
      return match;
    }
    allow = std::string_view(route.method) == "GET" ? "GET, HEAD" : route.method;
  }
  return {.allow = allow};
}

}  // namespace spotter
