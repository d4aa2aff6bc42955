// SPDX-License-Identifier: Apache-2.0
// The paths of the service: one table, from which requests are told apart and the OpenAPI description is checked.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace spotter {

enum class Endpoint {
  kPage,
  kStyle,
  kScript,
  kPredict,
  kModels,
  kOpenApi,
  kMetrics,
  kServer,
  kLive,
  kReady,
  kModel,
  kModelReady,
  kModelConfig,
  kInfer,
  kRepositoryIndex,
};

struct Route {
  Endpoint endpoint;
  const char* method;
  const char* path;   // {model} and {version} stand for any one segment
  bool open = false;  // needs no token: it tells nothing that is worth one
};

std::span<const Route> Routes();

struct RouteMatch {
  const Route* route = nullptr;  // nullptr: none
  std::string model = {};
  std::string version = {};
  std::string allow = {};  // where only the method is wrong: those that the path has, as the header Allow wants them
};

/// A slash at the end of a path makes no difference.
RouteMatch MatchRoute(std::string_view method, std::string_view path);

}  // namespace spotter
