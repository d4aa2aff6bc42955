// SPDX-License-Identifier: Apache-2.0
#include "base/base64.h"

#include "support/test_support.h"

namespace spotter {
namespace {

TEST(Base64, DecodesTheExamplesOfTheRfc) {  // RFC 4648, section 10
  const std::pair<const char*, const char*> cases[] = {{"", ""},
                                                       {"Zg==", "f"},
                                                       {"Zm8=", "fo"},
                                                       {"Zm9v", "foo"},
                                                       {"Zm9vYg==", "foob"},
                                                       {"Zm9vYmE=", "fooba"},
                                                       {"Zm9vYmFy", "foobar"}};
  for (const auto& [text, bytes] : cases) EXPECT_EQ(DecodeBase64(text), bytes) << text;
  EXPECT_EQ(DecodeBase64("//79"), "\xFF\xFE\xFD");
  EXPECT_EQ(DecodeBase64("AAAA"), std::string(3, '\0'));
}

TEST(Base64, TakesMissingPaddingAndLineBreaks) {
  EXPECT_EQ(DecodeBase64("Zg"), "f");
  EXPECT_EQ(DecodeBase64("Zm9v\r\nYmFy\n"), "foobar");
}

TEST(Base64, RefusesWhatIsNone) {
  for (const char* text : {"Z", "Zm9vY", "Zm9*", "Zm 9v", "=", "====", "Zm=v", "Zm9vYg==Zg==", "\xC3\xA4===", "-_-_"}) {
    EXPECT_EQ(DecodeBase64(text), std::nullopt) << text;
  }
}

TEST(Base64, EncodesWhatItDecodes) {
  for (const char* bytes : {"", "f", "fo", "foo", "foob"}) EXPECT_EQ(DecodeBase64(EncodeBase64(bytes)), bytes);
  EXPECT_EQ(EncodeBase64("fooba"), "Zm9vYmE=");
}

}  // namespace
}  // namespace spotter
