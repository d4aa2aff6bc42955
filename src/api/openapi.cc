// SPDX-License-Identifier: Apache-2.0
#include "api/openapi.h"

#include "api/openapi_text.h"
#include "base/version.h"

namespace spotter::api {

Json OpenApi(bool needs_token) {
  Json description = Json::parse(kOpenApiText);
  description["info"]["version"] = kVersion;
  if (needs_token) description["security"] = {{{"token", Json::array()}}};
  return description;
}

}  // namespace spotter::api
