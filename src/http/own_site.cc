// SPDX-License-Identifier: Apache-2.0
#include "http/own_site.h"

#include <algorithm>
#include <boost/asio/ip/address.hpp>

#include "base/text.h"

namespace spotter {
namespace {

bool Contains(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), Lowercase(text)) != list.end();
}

/// "[::1]:80" -> "::1", "example.org:80" -> "example.org"; the whole text where no port of digits follows.
std::string_view WithoutPort(std::string_view host) {
  const size_t colon = host.rfind(':');
  const size_t bracket = host.rfind(']');
  const bool has_port = colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  if (has_port && !ParseInteger(host.substr(colon + 1))) return host;
  if (has_port) host = host.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host;
}

}  // namespace

bool IsIpAddress(const std::string& text) {
  boost::system::error_code error;
  boost::asio::ip::make_address(text, error);
  return !error;
}

bool IsLoopback(const std::string& address) {
  boost::system::error_code error;
  const auto ip = boost::asio::ip::make_address(address, error);
  return !error && ip.is_loopback();
}

OwnSite::OwnSite(const std::string& address, int port, std::vector<std::string> names, std::vector<std::string> origins,
                 bool secure)
    : names_(std::move(names)),
      origins_(std::move(origins)),
      scheme_(secure ? "https" : "http"),
      any_address_(!IsLoopback(address)) {
  const std::string bound = address.find(':') == std::string::npos ? address : "[" + address + "]";
  for (const std::string& name : {bound, std::string("127.0.0.1"), std::string("localhost"), std::string("[::1]")}) {
    hosts_.push_back(name + ":" + std::to_string(port));
    if (port == (secure ? 443 : 80)) hosts_.push_back(name);
  }
  for (std::string& name : names_) name = Lowercase(name);
  for (std::string& origin : origins_) origin = Lowercase(origin);
}

bool OwnSite::IsHost(std::string_view host) const {
  if (Contains(hosts_, host)) return true;
  const std::string_view name = WithoutPort(host);
  return Contains(names_, name) || (any_address_ && (IsIpAddress(std::string(name)) || Lowercase(name) == "localhost"));
}

bool OwnSite::IsOrigin(std::optional<std::string_view> origin, std::string_view host) const {
  if (!origin || Lowercase(*origin) == scheme_ + "://" + Lowercase(host)) return true;
  // By one of its other names it is known behind a proxy, which may speak https where we don't.
  return Contains(names_, WithoutPort(host)) && Lowercase(*origin) == "https://" + Lowercase(host);
}

bool OwnSite::IsInvited(std::optional<std::string_view> origin) const { return origin && Contains(origins_, *origin); }

}  // namespace spotter
