// SPDX-License-Identifier: Apache-2.0
#include "http/own_site.h"

#include "support/test_support.h"

namespace spotter {
namespace {

TEST(OwnSite, IsKnownByTheNamesOfThisMachineAndItsPort) {
  const OwnSite site("127.0.0.1", 8080);
  for (const char* host : {"127.0.0.1:8080", "localhost:8080", "LocalHost:8080", "[::1]:8080"}) {
    EXPECT_TRUE(site.IsHost(host)) << host;
  }
  for (const char* host :
       {"", "localhost", "localhost:8081", "localhost:80", "evil.example:8080", "127.0.0.1.evil.example:8080",
        "localhost:8080.evil.example", "evil.example@localhost:8080", " localhost:8080", "192.168.0.1:8080"}) {
    EXPECT_FALSE(site.IsHost(host)) << host;
  }
}

TEST(OwnSite, IsKnownByTheAddressItIsBoundTo) {
  EXPECT_TRUE(OwnSite("192.168.0.1", 8080).IsHost("192.168.0.1:8080"));
  EXPECT_EQ(OwnSite("192.168.0.1", 8080).host(), "192.168.0.1:8080");
  EXPECT_TRUE(OwnSite("fe80::1", 8080).IsHost("[FE80::1]:8080"));
  EXPECT_EQ(OwnSite("::1", 8080).host(), "[::1]:8080");
}

TEST(OwnSite, MayGoWithoutThePortOnlyOn80) {
  EXPECT_TRUE(OwnSite("127.0.0.1", 80).IsHost("localhost"));
  EXPECT_TRUE(OwnSite("127.0.0.1", 80).IsHost("localhost:80"));
}

TEST(OwnSite, KnowsItsOwnPages) {
  const OwnSite site("127.0.0.1", 8080);
  EXPECT_TRUE(site.IsOrigin(std::nullopt, "localhost:8080"));  // typed, or from a page of its own
  EXPECT_TRUE(site.IsOrigin("http://localhost:8080", "localhost:8080"));
  for (const char* origin : {"", "null", "http://evil.example", "http://localhost:8081", "https://localhost:8080",
                             "http://127.0.0.1:8080", "http://localhost:8080.evil.example"}) {
    EXPECT_FALSE(site.IsOrigin(origin, "localhost:8080")) << origin;
  }
}

}  // namespace
}  // namespace spotter
