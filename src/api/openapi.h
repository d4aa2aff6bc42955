// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/json.h"

namespace spotter::api {

/// The OpenAPI 3.0 description of the service (openapi.json beside this file), with the token where one is needed.
Json OpenApi(bool needs_token);

}  // namespace spotter::api
