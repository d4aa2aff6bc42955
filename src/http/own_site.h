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
  /// `address`: what the server is bound to, without brackets. `names`: further hosts, without port. `origins`: other
  /// sites whose pages may ask.
  OwnSite(const std::string& address, int port, std::vector<std::string> names = {},
          std::vector<std::string> origins = {}, bool secure = false);

  /// "127.0.0.1:8080", as in a URL: an IPv6 address in brackets.
  const std::string& host() const { return hosts_.front(); }
  const std::string& scheme() const { return scheme_; }  // "http" or "https"

  /// Whether the Host header names this server: host() or 127.0.0.1, localhost or [::1], with the port, which only
  /// port 80 (443 for HTTPS) may go without; or one of the names, with any port. Guards against another site's name
  /// that leads here (DNS rebinding). Bound to all addresses, or to one of another network than this machine's own, the
  /// server is reached by addresses that it can't know, behind ports that others map: any IP address will do then,
  /// since only a name can be rebound.
  bool IsHost(std::string_view host) const;

  /// Whether the Origin header, where there is one, is that of a page which this server gave out under the same Host.
  bool IsOrigin(std::optional<std::string_view> origin, std::string_view host) const;

  /// Whether it is one of the other sites whose pages may ask.
  bool IsInvited(std::optional<std::string_view> origin) const;

 private:
  std::vector<std::string> hosts_;
  std::vector<std::string> names_;
  std::vector<std::string> origins_;
  std::string scheme_;
  bool any_address_ = false;
};

bool IsIpAddress(const std::string& text);

/// Whether an IP address can be reached from this machine only: 127.0.0.0/8 and ::1.
bool IsLoopback(const std::string& address);

}  // namespace spotter
