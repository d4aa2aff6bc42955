// SPDX-License-Identifier: Apache-2.0
#include "model_file/model_file.h"

#include <ATen/ATen.h>

#include <cstring>
#include <limits>

#include "base/error.h"
#include "base/json.h"
#include "support/test_support.h"

namespace spotter {
namespace {

Model SmallModel(uint64_t seed = 1) {
  Model model{
      {"cat", "dog \"the\" ü", "x"},
      {.shape = {8, 6, 3}, .resize = ResizePolicy::kCrop, .mean = {0.1f, 0.2f, 1.0f / 3}, .std = {0.5f, 0.25f, 2}},
      Network("conv 4 relu, batchnorm, maxpool 2, flatten, dense classes", {8, 6, 3}, 3)};
  model.network.InitializeParameters(seed);
  return model;
}

bool SameBytes(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor x = a.contiguous(), y = b.contiguous();
  return x.sizes() == y.sizes() && std::memcmp(x.const_data_ptr(), y.const_data_ptr(), x.nbytes()) == 0;
}

/// A model file taken apart, so that a test can change one thing of it.
struct Parts {
  explicit Parts(const std::filesystem::path& path) {
    SafetensorsFile file = ReadSafetensors(path);
    metadata = file.metadata;
    description = Json::parse(metadata.at("spotter"));
    for (const TensorRecord& tensor : file.tensors) {
      bytes.push_back(std::make_unique<std::string>(tensor.bytes));
      tensors.push_back({tensor.name, tensor.dtype, tensor.shape, *bytes.back()});
    }
  }
  void Write(const std::filesystem::path& path) {
    if (metadata.contains("spotter")) metadata["spotter"] = description.dump();
    WriteSafetensors(path, tensors, metadata);
  }
  std::map<std::string, std::string> metadata;
  Json description;
  std::vector<std::unique_ptr<std::string>> bytes;
  std::vector<TensorRecord> tensors;
};

class ModelFile : public testing::Test {
 protected:
  ModelFile() { SaveModel(path(), SmallModel()); }
  std::filesystem::path path() const { return folder_.path() / "model.safetensors"; }

  std::string Refusal() {
    try {
      LoadModel(path());
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kModel) << error.what();
      EXPECT_NE(std::string(error.what()).find(path().string()), std::string::npos) << error.what();
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
      return error.what();
    }
    ADD_FAILURE() << "it was loaded";
    return "";
  }
  void ExpectRefused(Parts& parts, const std::string& reason) {
    parts.Write(path());
    EXPECT_NE(Refusal().find(reason), std::string::npos) << Refusal();
  }
  TemporaryFolder folder_;
};

TEST_F(ModelFile, ComesBackAsItWas) {
  Model saved = SmallModel();
  saved.temperature = 1.0 / 3;
  saved.preprocessing.views = {.count = 6, .below = 1.0 / 7};
  saved.test = {.split = "validation", .images = 7, .accuracy = 1.0 / 7, .accuracy_interval = {0.1, 1.0 / 3}};
  for (Parameter* parameter : saved.network.parameters()) parameter->value.add_(0.125);  // none at its initial value
  SaveModel(path(), saved, {{"epoch", "7"}});
  const Model loaded = LoadModel(path());
  EXPECT_EQ(loaded.classes, saved.classes);
  EXPECT_EQ(loaded.preprocessing.shape, saved.preprocessing.shape);
  EXPECT_EQ(loaded.preprocessing.resize, saved.preprocessing.resize);
  EXPECT_EQ(loaded.preprocessing.mean, saved.preprocessing.mean);
  EXPECT_EQ(loaded.preprocessing.std, saved.preprocessing.std);
  EXPECT_EQ(loaded.temperature, saved.temperature);
  EXPECT_EQ(loaded.preprocessing.views.count, 6);
  EXPECT_EQ(loaded.preprocessing.views.below, 1.0 / 7);
  ASSERT_TRUE(loaded.test.has_value());
  EXPECT_EQ(loaded.test->split, "validation");
  EXPECT_EQ(loaded.test->images, 7);
  EXPECT_EQ(loaded.test->accuracy, 1.0 / 7);
  EXPECT_EQ(loaded.test->accuracy_interval, saved.test->accuracy_interval);
  EXPECT_EQ(loaded.network.text(), saved.network.text());
  ASSERT_EQ(loaded.network.parameters().size(), saved.network.parameters().size());
  for (size_t i = 0; i < saved.network.parameters().size(); ++i) {
    EXPECT_TRUE(SameBytes(loaded.network.parameters()[i]->value, saved.network.parameters()[i]->value)) << i;
  }
  EXPECT_EQ(ReadSafetensors(path()).metadata.at("epoch"), "7");
}

// docs/model_file.md: tensors have PyTorch's names and shapes, row-major, so that Python reads them without code of
// ours.
TEST_F(ModelFile, HoldsRowMajorTensorsOfPyTorchsShapes) {
  const Model model = SmallModel();
  const SafetensorsFile file = ReadSafetensors(path());
  const TensorRecord* weight = file.Find("conv_1.weight");
  ASSERT_NE(weight, nullptr);
  EXPECT_EQ(weight->dtype, "F32");
  EXPECT_EQ(weight->shape, (std::vector<int64_t>{4, 3, 3, 3}));
  const at::Tensor value = model.network.parameters()[0]->value;
  EXPECT_TRUE(value.is_contiguous(at::MemoryFormat::ChannelsLast)) << "the file's order must not be memory's by luck";
  float number = 0;
  std::memcpy(&number, weight->bytes.data() + sizeof(float) * (((2 * 3 + 1) * 3 + 0) * 3 + 2), sizeof number);
  EXPECT_EQ(number, value.index({2, 1, 0, 2}).item<float>());
  EXPECT_EQ(file.metadata.at("format"), "spotter-model");
}

TEST_F(ModelFile, IsTheSameBytesForTheSameModel) {
  const std::string first = ReadText(path());
  SaveModel(path(), SmallModel());
  EXPECT_EQ(ReadText(path()), first);
}

TEST_F(ModelFile, WeightsThatAreNotFiniteAreNotSavedAndTheOldFileStays) {
  const std::string old = ReadText(path());
  for (const float value : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    const Model model = SmallModel(2);
    model.network.parameters().back()->value[1] = value;
    try {
      SaveModel(path(), model);
      FAIL() << "it was saved";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kModel);
      EXPECT_NE(std::string(error.what()).find("dense_1.bias"), std::string::npos) << error.what();
    }
    EXPECT_EQ(ReadText(path()), old);
  }
}

TEST_F(ModelFile, WeightsThatAreNotFiniteAreNotLoaded) {
  std::string bytes = ReadText(path());
  bytes.replace(bytes.size() - 4, 4, std::string("\0\0\xc0\x7f", 4));  // NaN, in whichever tensor is the last
  WriteText(path(), bytes);
  try {
    LoadModel(path());
    FAIL() << "it was loaded";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kModel);
    EXPECT_NE(std::string(error.what()).find("are not all finite"), std::string::npos) << error.what();
  }
}

TEST_F(ModelFile, AnUnwritableFolderIsAnIoError) {
  try {
    SaveModel(folder_.path() / "absent" / "model.safetensors", SmallModel());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kIo);
  }
}

TEST_F(ModelFile, RefusesASafetensorsFileOfAnotherProgram) {
  WriteText(path(), ReadText(Fixture("from_python.safetensors")));
  EXPECT_NE(Refusal().find("not a model of Spotter's"), std::string::npos);
}

TEST_F(ModelFile, RefusesWithoutFormatOrDescription) {
  for (const char* key : {"format", "spotter"}) {
    SaveModel(path(), SmallModel());
    Parts parts(path());
    parts.metadata.erase(key);
    ExpectRefused(parts, "not a model of Spotter's");
  }
}

TEST_F(ModelFile, RefusesANewerVersion) {
  Parts parts(path());
  parts.description["version"] = 2;
  ExpectRefused(parts, "use a newer Spotter");
}

TEST_F(ModelFile, RefusesAnImpossibleTestResult) {
  const Json possible = {{"split", "test"}, {"images", 3}, {"accuracy", 1.0}, {"accuracy_interval", {0.4, 1.0}}};
  const Json changes = {{{"images", 0}},
                        {{"accuracy", 1.1}},
                        {{"accuracy_interval", {-0.1, 1.0}}},
                        {{"accuracy_interval", {0.9, 0.8}}},
                        {{"accuracy_interval", {0.4, 0.5, 1.0}}},
                        {{"images", 2.5}},
                        {{"split", "elsewhere"}}};
  for (const Json& change : changes) {
    Parts parts(path());
    parts.description["test"] = possible;
    parts.description["test"].update(change);
    ExpectRefused(parts, "its test result is impossible");
  }
  Parts parts(path());
  parts.description["test"] = possible;
  parts.Write(path());
  EXPECT_EQ(LoadModel(path()).test->images, 3);
  for (const bool null : {true, false}) {
    null ? void(parts.description["test"] = nullptr) : void(parts.description.erase("test"));
    parts.Write(path());
    EXPECT_FALSE(LoadModel(path()).test.has_value());
  }
}

TEST_F(ModelFile, RefusesAMissingTensor) {
  Parts parts(path());
  parts.tensors.pop_back();
  ExpectRefused(parts, "tensors");
}

TEST_F(ModelFile, RefusesATensorOfAnotherName) {
  Parts parts(path());
  parts.tensors.front().name += "x";
  ExpectRefused(parts, "is missing");
}

TEST_F(ModelFile, RefusesATensorTooMany) {
  Parts parts(path());
  parts.tensors.push_back({"more", "U8", {1}, "x"});
  ExpectRefused(parts, "tensors");
}

TEST_F(ModelFile, RefusesATensorOfAnotherShapeOrDtype) {
  Parts parts(path());
  for (TensorRecord& tensor : parts.tensors) {
    if (tensor.name == "dense_1.bias") tensor.shape = {3, 1};
  }
  ExpectRefused(parts, "'dense_1.bias' is F32 (3, 1), but the network needs F32 (3)");
  SaveModel(path(), SmallModel());
  Parts others(path());
  for (TensorRecord& tensor : others.tensors) {
    if (tensor.name == "dense_1.bias") tensor.dtype = "I32";
  }
  ExpectRefused(others, "'dense_1.bias' is I32");
}

TEST_F(ModelFile, RefusesDescriptionsThatAreDamaged) {
  const Json good = Parts(path()).description;
  const auto expect_refused = [&](const char* pointer, const Json& value) {
    SCOPED_TRACE(std::string(pointer) + " = " + value.dump());
    SaveModel(path(), SmallModel());
    Parts parts(path());
    parts.description[Json::json_pointer(pointer)] = value;
    ExpectRefused(parts, "");
  };
  for (const char* pointer :
       {"/version", "/classes", "/layers", "/preprocessing", "/preprocessing/height", "/preprocessing/width",
        "/preprocessing/channels", "/preprocessing/resize", "/preprocessing/mean", "/preprocessing/std"}) {
    expect_refused(pointer, nullptr);
    expect_refused(pointer, Json::array());
    expect_refused(pointer, Json::object());
  }
  expect_refused("/classes", Json{"cat", "dog"});
  expect_refused("/classes", Json{"cat", "dog", 3});
  expect_refused("/layers", "");
  expect_refused("/layers", "conv 4 relu");
  expect_refused("/layers", "\x1b[31m\n");
  expect_refused("/layers", "flatten, dense 1048576, dense 1048576, dense 1048576, dense classes");
  expect_refused("/preprocessing/height", 0);
  expect_refused("/preprocessing/height", -8);
  expect_refused("/preprocessing/height", 1000000);
  expect_refused("/preprocessing/channels", 2);
  expect_refused("/preprocessing/channels", 1);
  expect_refused("/preprocessing/resize", "other");
  expect_refused("/preprocessing/mean", Json{0.1, 0.2});
  expect_refused("/preprocessing/std", Json{0.1, 0.2});
  expect_refused("/preprocessing/std", Json{0.1, 0.2, 0});
  expect_refused("/preprocessing/std", Json{0.1, 0.2, -1});
  expect_refused("/preprocessing/std", Json{0.1, 0.2, 1e39});
  expect_refused("/preprocessing/mean", Json{0.1, 0.2, 1e39});
}

TEST_F(ModelFile, WithoutATemperatureItIsOne) {
  Parts parts(path());
  parts.description.erase("temperature");
  parts.Write(path());
  EXPECT_EQ(LoadModel(path()).temperature, 1);
}

TEST_F(ModelFile, RefusesATemperatureOutOfRange) {
  for (const double temperature : {0.0, -1.0, 0.009, 101.0, 1e300}) {
    SaveModel(path(), SmallModel());
    Parts parts(path());
    parts.description["temperature"] = temperature;
    ExpectRefused(parts, "from 0.01 to 100");
  }
  for (const Json& other : {Json("2"), Json(nullptr), Json::array({2}), Json(true)}) {
    SaveModel(path(), SmallModel());
    Parts parts(path());
    parts.description["temperature"] = other;
    ExpectRefused(parts, "damaged");
  }
}

TEST_F(ModelFile, WithoutViewsItIsOne) {  // as files were before there were others
  Parts parts(path());
  ASSERT_EQ(parts.description.erase("views"), 1u);
  parts.Write(path());
  EXPECT_EQ(LoadModel(path()).preprocessing.views.count, 1);
}

TEST_F(ModelFile, RefusesImpossibleViews) {
  for (const auto& [views, reason] : {std::pair{Json{{"count", 3}, {"below", 1.0}}, "views is 3: expected 1, 2 or 6"},
                                      {Json{{"count", 6}, {"below", 2.0}}, "expected a probability from 0 to 1"},
                                      {Json{{"count", 6}}, "damaged"},
                                      {Json{{"count", "6"}, {"below", 1.0}}, "damaged"},
                                      {Json(6), "damaged"}}) {
    SaveModel(path(), SmallModel());
    Parts parts(path());
    parts.description["views"] = views;
    ExpectRefused(parts, reason);
  }
}

TEST_F(ModelFile, RefusesAModelWithoutClasses) {
  Model model{{}, {.shape = {4, 4, 1}}, Network("flatten, dense classes", {4, 4, 1}, 0)};
  SaveModel(path(), model);
  EXPECT_NE(Refusal().find("class"), std::string::npos);
}

TEST_F(ModelFile, EveryPrefixIsRefused) {
  const std::string whole = ReadText(path());
  for (size_t length = 0; length < whole.size(); length += length < 1200 ? 1 : 97) {
    std::filesystem::remove(path());
    WriteText(path(), whole.substr(0, length));
    SCOPED_TRACE(length);
    Refusal();
  }
}

// A flipped bit may turn 'cat' into 'bat'; what it may not do is crash, hang or throw anything but our Error.
TEST_F(ModelFile, EveryFlippedBitOfTheHeaderLoadsOrIsRefused) {
  Model model{{"cat", "dog"}, {.shape = {2, 2, 1}}, Network("flatten, dense classes", {2, 2, 1}, 2)};
  model.network.InitializeParameters(1);
  SaveModel(path(), model);
  const std::string whole = ReadText(path());
  uint64_t header = 0;
  std::memcpy(&header, whole.data(), sizeof header);
  int loaded = 0;
  int refused = 0;
  for (size_t bit = 0; bit < 8 * (8 + header); ++bit) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    std::filesystem::remove(path());
    WriteText(path(), flipped);
    try {
      EXPECT_EQ(LoadModel(path()).network.parameters().size(), 2u);
      ++loaded;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kModel) << "bit " << bit << ": " << error.what();
      ++refused;
    }
  }
  EXPECT_GT(refused, 4 * loaded);
}

}  // namespace
}  // namespace spotter
