// SPDX-License-Identifier: Apache-2.0
#include "api/predict.h"

#include "support/test_support.h"

namespace spotter::api {
namespace {

HttpRequest Request(const std::string& type, const std::string& body, const std::string& query = "") {
  return {.method = "POST",
          .target = "/api/predict",
          .path = "/api/predict",
          .query = query,
          .headers = {{"content-type", type}},
          .body = body};
}

PredictRequest Read(const HttpRequest& request) {
  CheckContentType(request);
  PredictRequest asked = ReadQuery(request);
  ReadBody(request, asked);
  return asked;
}

int StatusOf(const HttpRequest& request) {
  try {
    Read(request);
    return 200;
  } catch (const Refusal& refusal) {
    EXPECT_EQ(std::string(refusal.what()).find('\n'), std::string::npos);
    return refusal.status();
  }
}

TEST(PredictRequest, IsAnImageAsItIs) {
  const HttpRequest request = Request("Image/PNG; q=1", "\x89PNG", "top=3&model=a%2Eb&heat_map=gradcam");
  const PredictRequest asked = Read(request);
  ASSERT_EQ(asked.images.list.size(), 1U);
  EXPECT_EQ(asked.images.list[0].bytes, "\x89PNG");
  EXPECT_EQ(asked.top, 3);
  EXPECT_EQ(asked.model, "a.b");
  EXPECT_EQ(asked.heat_map, "gradcam");
  EXPECT_EQ(Read(Request("application/octet-stream", "x")).top, 5);
}

TEST(PredictRequest, IsJson) {
  const HttpRequest request =
      Request("application/json; charset=utf-8",
              R"({"images": ["Zm9v", "data:image/png;base64,Zm8="], "image": "Zg==", "top": 2, "model": "m"})");
  const PredictRequest asked = Read(request);
  ASSERT_EQ(asked.images.list.size(), 3U);
  EXPECT_EQ(asked.images.list[0].bytes, "f");
  EXPECT_EQ(asked.images.list[1].bytes, "foo");
  EXPECT_EQ(asked.images.list[2].bytes, "fo");
  EXPECT_EQ(asked.top, 2);
  EXPECT_EQ(asked.model, "m");
}

TEST(PredictRequest, IsAForm) {
  const HttpRequest request =
      Request("multipart/form-data; boundary=b",
              "--b\r\nContent-Disposition: form-data; name=\"x\"; filename=\"\xFF.jpg\"\r\n\r\nJPEG\r\n"
              "--b\r\nContent-Disposition: form-data; name=\"top\"\r\n\r\n7\r\n--b--");
  const PredictRequest asked = Read(request);
  ASSERT_EQ(asked.images.list.size(), 1U);
  EXPECT_EQ(asked.images.list[0].bytes, "JPEG");
  EXPECT_EQ(asked.images.list[0].name, "\xEF\xBF\xBD.jpg") << "what is no UTF-8 can't be said in JSON";
  EXPECT_EQ(asked.top, 7);
}

TEST(PredictRequest, SaysWhatIsWrong) {
  for (const char* body :
       {"", "[]", "{", "{}", R"({"images": []})", R"({"images": "Zg=="})", R"({"images": [1]})", R"({"image": "*"})",
        R"({"image": "Zg==", "top": 0})", R"({"image": "Zg==", "top": 1.5})", R"({"image": "Zg==", "top": "3"})",
        R"({"image": "Zg==", "top": 99999999999999999999})", R"({"image": "Zg==", "heat_map": "yes"})",
        R"({"image": "Zg==", "colour": 1})", R"({"image": null})", "{\"image\": \"\xFF\"}"}) {
    EXPECT_EQ(StatusOf(Request("application/json", body)), 400) << body;
  }
  EXPECT_EQ(
      StatusOf(Request("application/json", "{\"image\":" + std::string(100000, '[') + std::string(100000, ']') + "}")),
      400);
  EXPECT_EQ(StatusOf(Request("image/png", "x", "top=-1")), 400);
  EXPECT_EQ(StatusOf(Request("image/png", "x", "top=abc")), 400);
  for (const char* type : {"", "text/plain", "application/x-www-form-urlencoded", "application/jsonx"}) {
    EXPECT_EQ(StatusOf(Request(type, "{}")), 415) << type;
  }
  std::string many = R"({"images": ["Zg==")";
  for (size_t i = 0; i < kMostImages; ++i) many += R"(, "Zg==")";
  EXPECT_EQ(StatusOf(Request("application/json", many + "]}")), 413);
}

TEST(Predictions, TellEachImageApart) {
  const ImagePrediction good{.name = "a.png", .problem = "", .top = {{"cat", 0.75}, {"\"dog\"", 0.25}}, .heat_map = ""};
  const ImagePrediction bad{.name = "b.png", .problem = "damaged", .top = {}, .heat_map = ""};
  const HttpResponse both = WritePredictions("m", "2", {good, bad}, 0.5);
  EXPECT_EQ(both.status, 200);
  EXPECT_EQ(Json::parse(both.body), Json::parse(R"({"model": "m", "version": "2", "predictions": [
    {"name": "a.png", "top": [{"class": "cat", "probability": 0.75}, {"class": "\"dog\"", "probability": 0.25}]},
    {"name": "b.png", "error": "damaged"}], "seconds": 0.5})"));
  const HttpResponse none = WritePredictions("m", "2", {bad}, 0.5);
  EXPECT_EQ(none.status, 400);
  EXPECT_EQ(Json::parse(none.body).at("error"), "the image can't be used: damaged");
}

}  // namespace
}  // namespace spotter::api
