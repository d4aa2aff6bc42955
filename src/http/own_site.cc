// SPDX-License-Identifier: Apache-2.0
#include "http/own_site.h"

#include <algorithm>

#include "base/text.h"

namespace spotter {

OwnSite::OwnSite(const std::string& address, int port) {
  const std::string bound = address.find(':') == std::string::npos ? address : "[" + address + "]";
  for (const std::string& name : {bound, std::string("127.0.0.1"), std::string("localhost"), std::string("[::1]")}) {
    hosts_.push_back(name + ":" + std::to_string(port));
    if (port == 80) hosts_.push_back(name);
  }
}

bool OwnSite::IsHost(std::string_view host) const {
  return std::find(hosts_.begin(), hosts_.end(), Lowercase(host)) != hosts_.end();
}

bool OwnSite::IsOrigin(std::optional<std::string_view> origin, std::string_view host) const {
  return !origin || Lowercase(*origin) == "http://" + Lowercase(host);
}

}  // namespace spotter
