// SPDX-License-Identifier: Apache-2.0
#include "api/multipart.h"

#include "api/given_image.h"
#include "support/test_support.h"

namespace spotter::api {
namespace {

const std::string kType = "multipart/form-data; boundary=XyZ";

int StatusOf(const std::string& body, const std::string& type = kType, size_t most = 10) {
  try {
    ParseMultipart(body, type, most);
    return 200;
  } catch (const Refusal& refusal) {
    return refusal.status();
  }
}

TEST(Multipart, GivesFilesAndFields) {
  const std::string body =
      "--XyZ\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a \\\"b\\\".png\"\r\nContent-Type: "
      "image/png\r\n\r\n"
      "\x89PNG\r\n--Xy\r\n\r\n--XyZ\r\ncontent-disposition:form-data;name=top\r\n\r\n3\r\n--XyZ--\r\nafter all";
  const auto parts = ParseMultipart(body, kType, 10);
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[0].name, "image");
  EXPECT_TRUE(parts[0].is_file);
  EXPECT_EQ(parts[0].file_name, "a \"b\".png");
  EXPECT_EQ(parts[0].content, "\x89PNG\r\n--Xy\r\n");
  EXPECT_EQ(parts[1].name, "top");
  EXPECT_FALSE(parts[1].is_file);
  EXPECT_EQ(parts[1].content, "3");
}

TEST(Multipart, TakesQuotedBoundariesAndEmptyForms) {
  EXPECT_EQ(ParseMultipart("--a b--\r\n", "multipart/form-data; charset=utf-8; boundary=\"a b\"", 10).size(), 0U);
  const std::string body = "--q\r\nContent-Disposition: form-data; name=\"\"; filename=\"\"\r\n\r\n\r\n--q--";
  const auto parts = ParseMultipart(body, "multipart/form-data;boundary=q", 10);
  ASSERT_EQ(parts.size(), 1U);
  EXPECT_TRUE(parts[0].is_file);
  EXPECT_EQ(parts[0].content, "");
}

TEST(Multipart, RefusesWhatIsNone) {
  const std::string part = "--XyZ\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n";
  EXPECT_EQ(StatusOf(part + "--XyZ--"), 200);
  for (const std::string& body :
       {std::string(), std::string("x"), std::string("--XyZ"), std::string("--XyZ\r\n"), part, part + "--XyZ",
        part + "--XyZ\r\n", "\r\n" + part + "--XyZ--", std::string("--XyZ\r\nno header\r\n--XyZ--"),
        std::string("--XyZ\r\nContent-Type: image/png\r\n\r\nx\r\n--XyZ--"), std::string("--XyZ\n\nx\n--XyZ--")}) {
    EXPECT_EQ(StatusOf(body), 400) << body;
  }
  EXPECT_EQ(StatusOf(part + "--XyZ--", "multipart/form-data"), 400);
  EXPECT_EQ(StatusOf(part + "--XyZ--", "multipart/form-data; boundary="), 400);
  EXPECT_EQ(StatusOf("--" + std::string(71, 'x') + "--", "multipart/form-data; boundary=" + std::string(71, 'x')), 400);
}

TEST(Multipart, BoundsTheParts) {
  std::string body;
  for (int i = 0; i < 11; ++i) body += "--XyZ\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n";
  EXPECT_EQ(StatusOf(body + "--XyZ--"), 413);
  EXPECT_EQ(StatusOf(body + "--XyZ--", kType, 11), 200);
}

}  // namespace
}  // namespace spotter::api
