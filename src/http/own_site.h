// SPDX-License-Identifier: Apache-2.0
// Whether a request is for this server and from its own page. Any site that a user visits can make the browser send
// requests to this machine; only these two headers tell them apart, and a site can't forge them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace spotter {

class OwnSite {
 public:
  /// `address`: what the server is bound to, without brackets.
  OwnSite(const std::string& address, int port);

  /// "127.0.0.1:8080", as in a URL: an IPv6 address in brackets.
  const std::string& host() const { return hosts_.front(); }

  /// Whether the Host header names this server: host() or 127.0.0.1, localhost or [::1], with the port, which only
  /// port 80 may go without. Guards against another site's name that leads here (DNS rebinding).
  bool IsHost(std::string_view host) const;

  /// Whether the Origin header, where there is one, is that of a page which this server gave out under the same Host.
  bool IsOrigin(std::optional<std::string_view> origin, std::string_view host) const;

 private:
  std::vector<std::string> hosts_;
};

}  // namespace spotter
