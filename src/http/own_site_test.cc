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

TEST(OwnSite, GoesByFurtherNamesAndInvitesOtherSites) {
  const OwnSite site("127.0.0.1", 8080, {"Models.example"}, {"https://Shop.example"});
  EXPECT_TRUE(site.IsHost("models.example"));
  EXPECT_TRUE(site.IsHost("models.example:443"));
  EXPECT_FALSE(site.IsHost("models.example:x"));
  EXPECT_FALSE(site.IsHost("evil.models.example"));
  EXPECT_FALSE(site.IsHost("203.0.113.7:8080"));
  EXPECT_TRUE(site.IsOrigin("https://models.example", "models.example")) << "a proxy speaks https for it";
  EXPECT_FALSE(site.IsOrigin("https://shop.example", "models.example"));
  EXPECT_TRUE(site.IsInvited("https://shop.example"));
  EXPECT_FALSE(site.IsInvited("http://shop.example"));
  EXPECT_FALSE(site.IsInvited(std::nullopt));
}

// A container's port may be mapped to any address and port; only a name can be rebound.
TEST(OwnSite, OnAllAddressesTakesAnyAddressAndNoName) {
  for (const char* bound : {"0.0.0.0", "::", "192.168.0.1"}) {
    const OwnSite site(bound, 8080);
    for (const char* host : {"192.168.0.1:9000", "127.0.0.1", "localhost:80", "[fe80::1]:8080", "10.0.0.1"}) {
      EXPECT_TRUE(site.IsHost(host)) << bound << " " << host;
    }
    for (const char* host : {"", "evil.example", "evil.example:8080", "192.168.0.1.evil.example", "1.2.3:8080x"}) {
      EXPECT_FALSE(site.IsHost(host)) << bound << " " << host;
    }
  }
}

TEST(OwnSite, KnowsItsPagesByHttps) {
  const OwnSite site("127.0.0.1", 8443, {}, {}, /*secure=*/true);
  EXPECT_TRUE(site.IsOrigin("https://localhost:8443", "localhost:8443"));
  EXPECT_FALSE(site.IsOrigin("http://localhost:8443", "localhost:8443"));
  EXPECT_TRUE(OwnSite("127.0.0.1", 443, {}, {}, true).IsHost("localhost"));
}

TEST(OwnSite, KnowsWhatOnlyThisMachineReaches) {
  for (const char* address : {"127.0.0.1", "127.1.2.3", "::1"}) EXPECT_TRUE(IsLoopback(address)) << address;
  for (const char* address : {"0.0.0.0", "::", "192.168.0.1", "localhost", ""})
    EXPECT_FALSE(IsLoopback(address)) << address;
}

}  // namespace
}  // namespace spotter
