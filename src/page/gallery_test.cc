// SPDX-License-Identifier: Apache-2.0
#include "page/gallery.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "support/small_run.h"

namespace spotter {
namespace {

/// Every image of ColourPatches evaluated, with answers that a test chooses: logit `sure` for the predicted class.
class GalleryTest : public testing::Test {
 protected:
  Gallery Make() {
    std::vector<float> logits;
    for (size_t i = 0; i < predictions.size(); ++i) {
      for (int32_t c = 0; c < 3; ++c) logits.push_back(c == predictions[i] ? sure[i] : 0.0F);
    }
    std::vector<int64_t> indices(static_cast<size_t>(data.size()));
    std::iota(indices.begin(), indices.end(), int64_t{0});
    const Evaluation evaluation = EvaluateLogits(data.labels, logits, 3, 1);
    Model model = SmallModel();
    return MakeGallery(model, data, indices, evaluation, {});
  }
  Model SmallModel() const {
    Network network("conv 4 relu, flatten, dense classes", {8, 8, 3}, 3);
    network.InitializeParameters(1);
    Preprocessing preprocessing;
    preprocessing.shape = data.shape;
    return {.classes = data.classes, .preprocessing = preprocessing, .network = std::move(network)};
  }

  Dataset data = ColourPatches(90);
  std::vector<int32_t> predictions = data.labels;
  std::vector<float> sure = std::vector<float>(90, 2.0F);
};

TEST_F(GalleryTest, MistakesAreTheMostConfidentOnesFirst) {
  for (const size_t i : {4U, 10U, 17U}) predictions[i] = (data.labels[i] + 1) % 3;
  sure[4] = 1;
  sure[10] = 5;
  sure[17] = 3;
  const Gallery gallery = Make();
  std::vector<int64_t> shown;
  for (const size_t i : gallery.mistakes) shown.push_back(gallery.examples[i].index);
  EXPECT_EQ(shown, (std::vector<int64_t>{10, 17, 4}));
  EXPECT_EQ(gallery.examples[gallery.mistakes[0]].prediction, predictions[10]);
  EXPECT_EQ(gallery.examples[gallery.mistakes[0]].truth, data.labels[10]);
}

TEST_F(GalleryTest, UnsureAreTheRightOnesOfLeastConfidence) {
  sure[8] = 0.5F;
  sure[50] = 0.25F;
  predictions[20] = (data.labels[20] + 1) % 3;
  sure[20] = 0.1F;
  const Gallery gallery = Make();
  ASSERT_EQ(gallery.unsure.size(), kListed);
  EXPECT_EQ(gallery.examples[gallery.unsure[0]].index, 50);
  EXPECT_EQ(gallery.examples[gallery.unsure[1]].index, 8);
}

TEST_F(GalleryTest, EveryImageOnceWhereAllFit) {
  const Gallery gallery = Make();
  std::map<int64_t, int> times;
  for (const Example& example : gallery.examples) ++times[example.index];
  EXPECT_EQ(times.size(), 90U);
  EXPECT_EQ(gallery.examples.size(), 90U);
}

TEST_F(GalleryTest, TilesHoldTheImages) {
  const Gallery gallery = Make();
  for (const Example& example : gallery.examples) {
    const int top = example.tile / gallery.columns * gallery.tile_height;
    const int left = example.tile % gallery.columns * gallery.tile_width;
    const size_t at =
        (static_cast<size_t>(top) * static_cast<size_t>(gallery.images.width) + static_cast<size_t>(left)) * 3;
    EXPECT_TRUE(std::equal(data.image(example.index), data.image(example.index) + 24, &gallery.images.rgb[at]))
        << example.index;
  }
}

TEST_F(GalleryTest, TheListedHaveHeatTheOthersNot) {
  predictions[0] = 1;
  const Gallery gallery = Make();
  EXPECT_GE(gallery.examples[gallery.mistakes[0]].heat_tile, 0);
  EXPECT_EQ(gallery.examples.back().heat_tile, -1);
  EXPECT_FALSE(gallery.heat.rgb.empty());
}

}  // namespace
}  // namespace spotter
