// SPDX-License-Identifier: Apache-2.0
// Heat maps against PyTorch's, for the same networks, weights and images. make_heat_maps_fixture.py wrote them.
#include "evaluate/explain.h"

#include <algorithm>

#include "parity/formula.h"

namespace spotter::parity {
namespace {

Dataset ImagesOf(const ImageShape& shape, int64_t images) {
  Dataset data;
  data.shape = shape;
  data.labels.resize(static_cast<size_t>(images));
  const at::Tensor values = Pixels({images, shape.height, shape.width, shape.channels});
  std::shared_ptr<uint8_t[]> pixels(new uint8_t[static_cast<size_t>(values.numel())]);
  for (int64_t i = 0; i < values.numel(); ++i) pixels[i] = static_cast<uint8_t>(values.const_data_ptr<float>()[i]);
  data.pixels = pixels;
  return data;
}

void ExpectSame(const HeatMap& map, const Json& recorded) {
  ASSERT_EQ(map.values.size(), recorded.size());
  for (size_t i = 0; i < map.values.size(); ++i) ASSERT_NEAR(map.values[i], recorded[i].get<float>(), 1e-4) << i;
}

TEST(ExplainImages, GivesPyTorchsMaps) {
  const Json cases =
      Json::parse(ReadText(SourceFolder() / "tests" / "parity" / "pytorch" / "heat_maps.json")).at("cases");
  ASSERT_EQ(cases.size(), 2u);
  for (const Json& recorded : cases) {
    SCOPED_TRACE(recorded.at("name"));
    const ImageShape shape = {recorded.at("height"), recorded.at("width"), 3};
    const Model model{
        {"a", "b", "c"}, {.shape = shape}, Network(recorded.at("layers"), {shape.height, shape.width, 3}, 3)};
    FillByFormula(model.network);
    std::vector<int64_t> indices;
    std::vector<int32_t> targets;
    for (const Json& map : recorded.at("maps")) {
      indices.push_back(map.at("image"));
      targets.push_back(map.at("target"));
    }
    const Dataset data = ImagesOf(shape, 2);
    const auto high_resolution = ExplainImages(model, data, indices, targets, {});
    const auto grad_cam = ExplainImages(model, data, indices, targets, {}, ExplainMethod::kGradCam);
    ASSERT_EQ(high_resolution.size(), 6u);
    for (size_t i = 0; i < high_resolution.size(); ++i) {
      SCOPED_TRACE(i);
      EXPECT_EQ(high_resolution[i].height, shape.height);
      EXPECT_EQ(high_resolution[i].width, shape.width);
      ExpectSame(high_resolution[i], recorded.at("maps")[i].at("hirescam"));
      ExpectSame(grad_cam[i], recorded.at("maps")[i].at("grad_cam"));
    }
  }
}

}  // namespace
}  // namespace spotter::parity
