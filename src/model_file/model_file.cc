// SPDX-License-Identifier: Apache-2.0
#include "model_file/model_file.h"

#include <ATen/core/grad_mode.h>

#include <cmath>
#include <cstring>

#include "base/error.h"
#include "base/text.h"

namespace spotter {
namespace {

constexpr const char* kFormat = "spotter-model";
constexpr int kVersion = 1;

Json Describe(const Model& model) {
  const Preprocessing& p = model.preprocessing;
  const auto values = [&](const std::array<float, 3>& v) {
    return std::vector<float>(v.begin(), v.begin() + p.shape.channels);
  };
  Json json = {{"version", kVersion},
               {"classes", model.classes},
               {"layers", model.network.text()},
               {"preprocessing",
                {{"height", p.shape.height},
                 {"width", p.shape.width},
                 {"channels", p.shape.channels},
                 {"resize", ResizePolicyName(p.resize)},
                 {"mean", values(p.mean)},
                 {"std", values(p.std)}}},
               {"views", {{"count", p.views.count}, {"below", p.views.below}}},
               {"temperature", model.temperature}};
  if (model.test) json["test"] = ToJson(*model.test);
  return json;
}

Preprocessing ReadPreprocessing(const Json& json) {
  Preprocessing p;
  p.shape = {json.at("height").get<int>(), json.at("width").get<int>(), json.at("channels").get<int>()};
  const auto side = [](int n) { return n >= 1 && n <= kMaxImageSide; };
  if (!side(p.shape.height) || !side(p.shape.width) || (p.shape.channels != 1 && p.shape.channels != 3)) {
    Fail(ExitCode::kModel, "its input shape is impossible");
  }
  p.resize = ResizePolicyFromName(json.at("resize").get<std::string>());
  const auto mean = json.at("mean").get<std::vector<float>>();
  const auto std = json.at("std").get<std::vector<float>>();
  for (size_t c = 0; c < static_cast<size_t>(p.shape.channels); ++c) {
    p.mean[c] = mean.at(c);
    p.std[c] = std.at(c);
    if (!(p.std[c] > 0) || !std::isfinite(p.std[c]) || !std::isfinite(p.mean[c])) {
      Fail(ExitCode::kModel,
           "its preprocessing has a standard deviation that is not above 0, or a number that is not finite");
    }
  }
  return p;
}

Views ReadViews(const Json& description, const ImageShape& shape) {
  Views views;
  if (const auto json = description.find("views"); json != description.end())
    views = {json->at("count").get<int>(), json->at("below").get<double>()};
  CheckViews(views, shape);
  return views;
}

double ReadTemperature(const Json& description) {
  const double temperature = description.value("temperature", 1.0);
  if (!(temperature >= 0.01 && temperature <= 100))
    Fail(ExitCode::kModel, "its temperature is {}, and one from 0.01 to 100 was expected", temperature);
  return temperature;
}

std::optional<TestResult> ReadTest(const Json& description) {
  const auto json = description.find("test");
  if (json == description.end() || json->is_null()) return std::nullopt;
  const auto& images = json->at("images");
  const auto& interval = json->at("accuracy_interval");
  const TestResult test{json->at("split").get<std::string>(), images.get<int64_t>(), json->at("accuracy").get<double>(),
                        interval.get<std::array<double, 2>>()};
  const auto share = [](double x) { return x >= 0 && x <= 1; };
  const auto& [low, high] = test.accuracy_interval;
  const bool split = test.split == "test" || test.split == "validation" || test.split == "train";
  if (!split || !images.is_number_integer() || test.images < 1 || interval.size() != 2 || !share(test.accuracy) ||
      !share(low) || !share(high) || low > high) {
    Fail(ExitCode::kModel,
         "its test result is impossible: expected a split (test, validation, train), images, and an accuracy and its "
         "interval from 0 to 1");
  }
  return test;
}

Model ReadDescription(const SafetensorsFile& file) {
  const auto format = file.metadata.find("format");
  const auto description = file.metadata.find("spotter");
  if (format == file.metadata.end() || format->second != kFormat || description == file.metadata.end()) {
    Fail(ExitCode::kModel, "it is a safetensors file, but not a model of Spotter's");
  }
  const Json json = Json::parse(description->second);
  if (json.at("version").get<int>() > kVersion) {
    Fail(ExitCode::kModel, "its format version is {}, and this program reads up to {}; use a newer Spotter",
         json.at("version").get<int>(), kVersion);
  }
  auto classes = json.at("classes").get<std::vector<std::string>>();
  if (classes.empty()) Fail(ExitCode::kModel, "it has no classes");
  Preprocessing p = ReadPreprocessing(json.at("preprocessing"));
  p.views = ReadViews(json, p.shape);
  Network network(json.at("layers").get<std::string>(), {p.shape.height, p.shape.width, p.shape.channels},
                  static_cast<int64_t>(classes.size()));
  return {std::move(classes), p, std::move(network), ReadTemperature(json), ReadTest(json)};
}

std::string ShapeText(const std::vector<int64_t>& shape) {
  std::string text;
  for (const int64_t side : shape) text += (text.empty() ? "" : ", ") + std::to_string(side);
  return text;
}

const char* DtypeName(const at::Tensor& tensor) { return tensor.scalar_type() == at::kLong ? "I64" : "F32"; }

}  // namespace

Json ToJson(const TestResult& test) {
  return {{"split", test.split},
          {"images", test.images},
          {"accuracy", test.accuracy},
          {"accuracy_interval", test.accuracy_interval}};
}

TensorRecord ToRecord(const std::string& name, const at::Tensor& tensor, std::vector<at::Tensor>& keep) {
  keep.push_back(tensor.detach().to(at::kCPU).contiguous());
  const at::Tensor& held = keep.back();
  return {name, DtypeName(held), held.sizes().vec(),
          std::string_view(static_cast<const char*>(held.const_data_ptr()), held.nbytes())};
}

void CopyRecord(const TensorRecord& record, at::Tensor& tensor) {
  if (record.dtype != DtypeName(tensor) || record.shape != tensor.sizes().vec()) {
    Fail(ExitCode::kModel, "tensor '{}' is {} ({}), but the network needs {} ({})", record.name, record.dtype,
         ShapeText(record.shape), DtypeName(tensor), ShapeText(tensor.sizes().vec()));
  }
  at::Tensor values = at::empty(tensor.sizes(), at::TensorOptions().dtype(tensor.scalar_type()));
  // memcpy: the file's data need not be aligned for the dtype.
  std::memcpy(values.data_ptr(), record.bytes.data(), record.bytes.size());
  const at::NoGradGuard no_grad;
  tensor.copy_(values);
}

void CopyParameters(const SafetensorsFile& file, const std::string& prefix, const Network& network) {
  for (Parameter* parameter : network.parameters()) {
    const TensorRecord* record = file.Find(prefix + parameter->name);
    if (record == nullptr) Fail(ExitCode::kModel, "the tensor '{}{}' is missing", prefix, parameter->name);
    CopyRecord(*record, parameter->value);
  }
}

void SaveModel(const std::filesystem::path& path, const Model& model, const std::map<std::string, std::string>& extra) {
  if (const Parameter* bad = model.network.FirstNotFinite()) {
    Fail(ExitCode::kModel, "'{}' was not written: the weights of {} are not finite", path.string(), bad->name);
  }
  std::vector<at::Tensor> keep;
  std::vector<TensorRecord> records;
  for (const Parameter* parameter : model.network.parameters()) {
    records.push_back(ToRecord(parameter->name, parameter->value, keep));
  }
  std::map<std::string, std::string> metadata = extra;
  metadata["format"] = kFormat;
  metadata["spotter"] = DumpJson(Describe(model));
  WriteSafetensors(path, std::move(records), metadata);
}

Model LoadModel(const std::filesystem::path& path) {
  const SafetensorsFile file = ReadSafetensors(path);
  try {
    Model model = ReadDescription(file);
    if (file.tensors.size() != model.network.parameters().size()) {
      Fail(ExitCode::kModel, "it has {} tensors, but its network {}", file.tensors.size(),
           model.network.parameters().size());
    }
    CopyParameters(file, "", model.network);
    if (const Parameter* bad = model.network.FirstNotFinite()) {
      Fail(ExitCode::kModel, "the weights of {} are not all finite; take another copy of it", bad->name);
    }
    return model;
  } catch (const Error& error) {
    Fail(ExitCode::kModel, "'{}' can't be used as a model: {}", path.string(), Printable(error.what()));
  } catch (const std::exception&) {  // JSON of another form
    Fail(ExitCode::kModel, "'{}' can't be used as a model: its description is damaged; take another copy of it",
         path.string());
  }
}

}  // namespace spotter
