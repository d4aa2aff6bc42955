// SPDX-License-Identifier: Apache-2.0
// The convolutions against the plain reference in double: every pass, at sizes that meet every edge.
#include "kernels/conv.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "kernels/cpu.h"
#include "kernels/reference.h"
#include "kernels/reference_maps.h"
#include "kernels/test_values.h"

namespace spotter::kernels {
namespace {

struct Case {
  ConvShape shape;
  int threads;
};

void PrintTo(const Case& c, std::ostream* out) {
  const ConvShape& s = c.shape;
  *out << s.images << " of " << s.height << "x" << s.width << ", " << s.in << " to " << s.out << ", pad " << s.pad
       << (s.pool ? ", pool, " : ", ") << c.threads << " threads";
}

class ConvTest : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (!CpuHasAvx512Bf16()) GTEST_SKIP() << "this processor has no AVX-512 bf16";
    FillWithNan(scratch);
  }
  const ConvShape& s = GetParam().shape;
  std::vector<float> x = RandomValues(s.in_size(), 1);
  std::vector<float> weights = RandomValues(s.weight_size(), 2, 0.1f);
  std::vector<float> bias = RandomValues(s.out, 3);
  Scratch scratch{GetParam().threads};
  int threads() const { return GetParam().threads; }
  /// Of the relative RMS error. Plain products round outputs alone, and weights' gradients not at all. Of Winograd's
  /// 0.008 to 0.012 is measured (docs/speed.md); it differs from place to place in a tile and from weight to weight,
  /// which maps of one pixel and layers of one weight do not average.
  double bound() const {
    if (CpuHasAmx()) return 4e-3;
    return s.out_height() * s.out_width() == 1 || s.in * s.out == 1 ? 3e-2 : 1.5e-2;
  }

  /// Near, and on the average neither too large nor too small: a wrong constant would be, by more than rounding is.
  template <typename Expected>
  void ExpectExact(const std::vector<Expected>& expected, const std::vector<float>& found) const {
    ExpectNear(expected, found, bound());
    if (expected.size() < 5000) return;
    double product = 0;
    double square = 0;
    for (size_t i = 0; i < expected.size(); ++i) {
      product += static_cast<double>(expected[i]) * found[i];
      square += static_cast<double>(expected[i]) * expected[i];
    }
    EXPECT_NEAR(product / square, 1, 1e-3);
  }

  /// Guards at both ends show a write that goes too far.
  struct Guarded {
    explicit Guarded(int64_t n) : values(static_cast<size_t>(n) + 2 * kGuard, kMark), n(static_cast<size_t>(n)) {}
    static constexpr size_t kGuard = 64;
    static constexpr bf16 kMark = 0x7fc1;  // a NaN
    std::vector<bf16> values;
    size_t n;
    bf16* data() { return values.data() + kGuard; }
    std::vector<float> Take() const {
      for (size_t i = 0; i < kGuard; ++i) {
        EXPECT_EQ(values[i], kMark);
        EXPECT_EQ(values[kGuard + n + i], kMark);
      }
      return AsFloat(std::span(values).subspan(kGuard, n));
    }
  };

  std::vector<float> Forward(const ConvEpilogue& epilogue, uint32_t* argmax) {
    std::vector<bf16> packed(static_cast<size_t>(ConvPackedSize(s.in, s.out)));
    PackConvForward(s, weights.data(), packed.data(), threads());
    Guarded y(s.out_size());
    ConvForward(s, AsBf16(x).data(), packed.data(), epilogue, y.data(), argmax, scratch);
    return y.Take();
  }
  PoolShape Pool() const { return {s.images, s.conv_height(), s.conv_width(), s.out}; }
  /// The places of the maxima, as the words say.
  std::vector<uint8_t> Places(const std::vector<uint32_t>& words) const {
    std::vector<uint8_t> places;
    for (int64_t pixel = 0; pixel < s.out_pixels(); ++pixel) {
      for (int64_t c = 0; c < s.out; ++c) {
        const uint32_t* word = words.data() + (pixel * ((s.out + 31) / 32) + c / 32) * 2;
        places.push_back(static_cast<uint8_t>((word[0] >> (c % 32) & 1) + 2 * (word[1] >> (c % 32) & 1)));
      }
    }
    return places;
  }
  /// Maxima at random places, and the gradient that they spread to all outputs.
  std::vector<uint32_t> RandomArgmax() const {
    std::mt19937 random(5);
    std::vector<uint32_t> words(static_cast<size_t>(s.pool ? ArgmaxWords(s) : 0));
    for (uint32_t& word : words) word = static_cast<uint32_t>(random());
    return words;
  }
  std::vector<float> FullGradient(const std::vector<float>& dy, const std::vector<uint32_t>& argmax) const {
    if (!s.pool) return dy;
    const std::vector<double> wide = ReferenceMaxPoolGradient(Pool(), {dy.begin(), dy.end()}, Places(argmax));
    return {wide.begin(), wide.end()};
  }
};

TEST_P(ConvTest, Forward) {
  const std::vector<double> plain = ReferenceConv(s, x, weights, {});
  if (!s.pool) {
    ExpectExact(plain, Forward({}, nullptr));
    return;
  }
  std::vector<uint8_t> where;
  const std::vector<double> pooled = ReferenceMaxPool(Pool(), plain, where);
  std::vector<uint32_t> argmax(static_cast<size_t>(ArgmaxWords(s)));
  ExpectExact(pooled, Forward({}, argmax.data()));
  // Where two outputs of a window are nearly equal either may be the larger: the value at the place must be right.
  const std::vector<uint8_t> places = Places(argmax);
  std::vector<float> at_places;
  size_t same = 0;
  for (int64_t i = 0; i < s.out_size(); ++i) {
    const int64_t pixel = i / s.out;
    const int64_t row = pixel / s.out_width() % s.out_height();
    const int64_t image = pixel / (s.out_width() * s.out_height());
    const int place = places[static_cast<size_t>(i)];
    const int64_t from =
        (image * s.conv_height() + 2 * row + place / 2) * s.conv_width() + 2 * (pixel % s.out_width()) + place % 2;
    at_places.push_back(static_cast<float>(plain[static_cast<size_t>(from * s.out + i % s.out)]));
    same += place == where[static_cast<size_t>(i)] ? 1 : 0;
  }
  ExpectExact(pooled, at_places);
  EXPECT_GT(static_cast<double>(same), 0.98 * static_cast<double>(where.size()));
}

TEST_P(ConvTest, OfEqualValuesTheFirstIsTheMaximum) {
  if (!s.pool) return;
  std::ranges::fill(x, 0.0f);
  std::vector<uint32_t> argmax(static_cast<size_t>(ArgmaxWords(s)), ~0u);
  Forward({}, argmax.data());
  EXPECT_EQ(Places(argmax), std::vector<uint8_t>(static_cast<size_t>(s.out_size()), 0));
}

TEST_P(ConvTest, ForwardWithBiasAndRelu) {
  std::vector<double> y = ReferenceConv(s, x, weights, bias);
  std::vector<uint8_t> where;
  if (s.pool) y = ReferenceMaxPool(Pool(), y, where);
  for (double& value : y) value = std::max(value, 0.0);
  ExpectExact(y, Forward({.bias = bias.data(), .relu = true}, nullptr));
}

// Whatever the blocks that its tiles are computed in.
TEST_P(ConvTest, AnImageAloneGivesTheSame) {
  ConvShape one = s;
  one.images = 1;
  std::vector<bf16> packed(static_cast<size_t>(ConvPackedSize(s.in, s.out)));
  PackConvForward(s, weights.data(), packed.data(), threads());
  std::vector<bf16> all(static_cast<size_t>(s.out_size())), alone(static_cast<size_t>(one.out_size()));
  ConvForward(s, AsBf16(x).data(), packed.data(), {}, all.data(), nullptr, scratch);
  Scratch other(threads() + 1);
  ConvForward(one, AsBf16(x).data(), packed.data(), {}, alone.data(), nullptr, other);
  all.resize(alone.size());
  EXPECT_EQ(all, alone);
}

TEST_P(ConvTest, DataGradient) {
  const std::vector<float> dy = RandomValues(s.out_size(), 4);
  const std::vector<uint32_t> argmax = RandomArgmax();
  std::vector<bf16> packed(static_cast<size_t>(ConvPackedSize(s.out, s.in)));
  PackConvDataGradient(s, weights.data(), packed.data(), threads());
  Guarded dx(s.in_size());
  ConvDataGradient(s, AsBf16(dy).data(), argmax.data(), packed.data(), dx.data(), scratch);
  ExpectExact(ReferenceDataGradient(s, FullGradient(dy, argmax), weights), dx.Take());
}

TEST_P(ConvTest, WeightGradient) {
  const std::vector<float> dy = RandomValues(s.out_size(), 4);
  const std::vector<uint32_t> argmax = RandomArgmax();
  std::vector<float> dw(static_cast<size_t>(s.weight_size()), NAN);
  ConvWeightGradient(s, AsBf16(x).data(), AsBf16(dy).data(), argmax.data(), dw.data(), scratch);
  ExpectExact(ReferenceWeightGradient(s, x, FullGradient(dy, argmax)), dw);
}

ConvShape Shape(int64_t n, int64_t h, int64_t w, int64_t in, int64_t out, int64_t pad, bool pool) {
  return {.images = n, .height = h, .width = w, .in = in, .out = out, .kernel = 3, .pad = pad, .pool = pool};
}

INSTANTIATE_TEST_SUITE_P(
    Sizes, ConvTest,
    testing::Values(Case{Shape(3, 31, 31, 24, 64, 1, true), 2},     // the speed network's layers
                    Case{Shape(3, 15, 15, 64, 64, 1, false), 2},    //
                    Case{Shape(3, 15, 15, 64, 256, 1, true), 2},    //
                    Case{Shape(5, 7, 7, 256, 256, 1, false), 2},    //
                    Case{Shape(5, 7, 7, 256, 256, 1, true), 2},     //
                    Case{Shape(9, 3, 3, 256, 256, 1, false), 2},    //
                    Case{Shape(2, 32, 32, 3, 32, 0, true), 2},      // the seeds' first layers
                    Case{Shape(2, 32, 32, 3, 64, 1, false), 2},     //
                    Case{Shape(2, 15, 15, 32, 64, 0, false), 2},    // valid
                    Case{Shape(2, 13, 13, 64, 128, 0, true), 2},    // valid, odd, with a pool that drops a row
                    Case{Shape(2, 16, 16, 128, 384, 1, false), 3},  // three threads
                    Case{Shape(1, 3, 3, 1, 1, 0, false), 1},        // one output
                    Case{Shape(40, 4, 4, 1, 1, 0, true), 4},        // one window
                    Case{Shape(1, 4, 4, 40, 33, 0, true), 4}, Case{Shape(1, 1, 1, 5, 7, 1, false), 2},  // one pixel
                    Case{Shape(2, 2, 3, 33, 31, 1, true), 2},     // odd channels around a chunk
                    Case{Shape(2, 9, 6, 65, 97, 1, false), 5},    //
                    Case{Shape(2, 6, 9, 31, 95, 0, true), 2},     //
                    Case{Shape(1, 70, 66, 8, 16, 1, true), 2},    // more tiles in an image than in a block
                    Case{Shape(1, 9, 900, 7, 40, 0, true), 2},    // more in a row
                    Case{Shape(9, 31, 31, 24, 64, 1, true), 2},   // many blocks
                    Case{Shape(61, 5, 5, 560, 32, 1, false), 1},  // weights' gradient in three passes, many blocks
                    Case{Shape(61, 6, 6, 560, 64, 1, true), 3},   // and in parts
                    Case{Shape(1, 6, 2, 40, 48, 1, false), 1},    // one column of tiles
                    Case{Shape(3, 7, 1, 24, 32, 1, false), 2},    //
                    Case{Shape(3, 6, 10, 40, 48, 1, false), 2},   // pairs of tiles of two kinds, both ways
                    Case{Shape(3, 4, 4, 192, 32, 1, false), 3},   // fewer tiles than threads
                    Case{Shape(64, 5, 5, 16, 20, 1, true), 8},    // more threads than cores
                    Case{Shape(1, 5, 5, 512, 640, 1, false), 2}));

}  // namespace
}  // namespace spotter::kernels
