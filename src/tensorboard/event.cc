// SPDX-License-Identifier: Apache-2.0
#include "tensorboard/event.h"

#include <protozero/pbf_builder.hpp>

#include "base/json.h"

namespace spotter {
namespace {

using protozero::pbf_builder;
using FieldNumber = protozero::pbf_tag_type;

// Messages and field numbers of tensorflow/core/util/event.proto and tensorflow/core/framework/{summary,tensor}.proto.
enum class Event : FieldNumber { kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5, kSessionLog = 7 };
enum class SessionLog : FieldNumber { kStatus = 1 };
enum class Summary : FieldNumber { kValue = 1 };
enum class Value : FieldNumber { kTag = 1, kSimpleValue = 2, kImage = 4, kTensor = 8, kMetadata = 9 };
enum class Image : FieldNumber { kHeight = 1, kWidth = 2, kEncodedImage = 4 };
enum class Metadata : FieldNumber { kPluginData = 1 };
enum class PluginData : FieldNumber { kPluginName = 1 };
enum class Tensor : FieldNumber { kDtype = 1, kShape = 2, kStringValue = 8 };
enum class Shape : FieldNumber { kDim = 2 };
enum class Dim : FieldNumber { kSize = 1 };
constexpr int kStart = 1;   // SessionLog.SessionStatus
constexpr int kString = 7;  // DataType

template <typename Fill>
std::string MakeEvent(double wall_time, int64_t step, const Fill& fill) {
  std::string bytes;
  pbf_builder<Event> event(bytes);
  event.add_double(Event::kWallTime, wall_time);
  if (step != 0) event.add_int64(Event::kStep, step);  // the default is not written
  fill(event);
  return bytes;
}

/// An event of one value, of which `fill` writes what is not the tag.
template <typename Fill>
std::string MakeSummary(double wall_time, int64_t step, const std::string& tag, const Fill& fill) {
  return MakeEvent(wall_time, step, [&](pbf_builder<Event>& event) {
    pbf_builder<Summary> summary(event, Event::kSummary);
    pbf_builder<Value> value(summary, Summary::kValue);
    value.add_string(Value::kTag, ValidUtf8(tag));
    fill(value);
  });
}

}  // namespace

std::string VersionEvent(double wall_time) {
  return MakeEvent(wall_time, 0,
                   [](pbf_builder<Event>& event) { event.add_string(Event::kFileVersion, "brain.Event:2"); });
}

std::string StartEvent(double wall_time, int64_t step) {
  return MakeEvent(wall_time, step, [](pbf_builder<Event>& event) {
    pbf_builder<SessionLog>(event, Event::kSessionLog).add_enum(SessionLog::kStatus, kStart);
  });
}

std::string ScalarEvent(double wall_time, int64_t step, const std::string& tag, float value) {
  return MakeSummary(wall_time, step, tag,
                     [&](pbf_builder<Value>& entry) { entry.add_float(Value::kSimpleValue, value); });
}

std::string ImageEvent(double wall_time, int64_t step, const std::string& tag, int height, int width,
                       const std::string& png) {
  return MakeSummary(wall_time, step, tag, [&](pbf_builder<Value>& value) {
    pbf_builder<Image> image(value, Value::kImage);
    image.add_int32(Image::kHeight, height);
    image.add_int32(Image::kWidth, width);
    image.add_bytes(Image::kEncodedImage, png);
  });
}

std::string TextEvent(double wall_time, int64_t step, const std::string& tag, const std::string& markdown) {
  return MakeSummary(wall_time, step, tag, [&](pbf_builder<Value>& value) {
    {
      pbf_builder<Metadata> metadata(value, Value::kMetadata);
      pbf_builder<PluginData>(metadata, Metadata::kPluginData).add_string(PluginData::kPluginName, "text");
    }
    pbf_builder<Tensor> tensor(value, Value::kTensor);
    tensor.add_enum(Tensor::kDtype, kString);
    {
      pbf_builder<Shape> shape(tensor, Tensor::kShape);
      pbf_builder<Dim>(shape, Shape::kDim).add_int64(Dim::kSize, 1);
    }
    tensor.add_bytes(Tensor::kStringValue, ValidUtf8(markdown));
  });
}

}  // namespace spotter
