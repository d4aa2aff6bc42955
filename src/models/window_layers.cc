// SPDX-License-Identifier: Apache-2.0
// Convolution and pooling: the layers that move a window over a map.
#include <algorithm>
#include <limits>

#include "base/error.h"
#include "models/layers.h"

namespace spotter {
namespace {

/// The part that is the same for every window layer: shapes, and how padding is handed to a library that can only pad
/// both sides alike.
class WindowLayer : public Layer {
 public:
  WindowLayer(const char* what, const FeatureShape& input, const Window& window) : window_(window) {
    if (!input.is_map()) {
      Fail(ExitCode::kUsage,
           "a {} needs a map (height, width, channels), but its input is a vector of {}; put it before flatten", what,
           input.channels);
    }
    y_ = AlongAxis(input.height, window.kernel_height, window);
    x_ = AlongAxis(input.width, window.kernel_width, window);
    if (y_.output == 0 || x_.output == 0) {
      Fail(ExitCode::kUsage,
           "a window of {} x {} does not fit into its input of {}; use a smaller one, 'same', fewer pools before it, "
           "or larger images (--image-size)",
           window.kernel_height, window.kernel_width, ToString(input));
    }
    output_shape_ = {y_.output, x_.output, input.channels};
  }

 protected:
  bool symmetric() const { return y_.pad_before == y_.pad_after && x_.pad_before == x_.pad_after; }
  /// x with the padding written out by `value` where it is one-sided; PaddingLeft() is then what remains to be asked
  /// for.
  at::Tensor PadByHand(const at::Tensor& x, double value) const {
    return symmetric() ? x : at::constant_pad_nd(x, {x_.pad_before, x_.pad_after, y_.pad_before, y_.pad_after}, value);
  }
  std::array<int64_t, 2> PaddingLeft() const {
    return symmetric() ? std::array<int64_t, 2>{y_.pad_before, x_.pad_before} : std::array<int64_t, 2>{0, 0};
  }
  std::array<int64_t, 2> kernel() const { return {window_.kernel_height, window_.kernel_width}; }
  std::array<int64_t, 2> stride() const { return {window_.stride, window_.stride}; }

  Window window_;
  WindowAxis y_;
  WindowAxis x_;
};

class Conv : public WindowLayer {
 public:
  Conv(const FeatureShape& input, int64_t filters, const Window& window, const Activation* activation,
       const KernelOptions& options)
      : WindowLayer("convolution", input, window), activation_(activation) {
    spec_ = ConvSpec{window, activation};
    const int64_t taps = window.kernel_height * window.kernel_width;
    if (options.whitening && filters != WhiteningFilters(input, window)) {
      Fail(ExitCode::kUsage,
           "a whitening convolution of {} x {} over {} channels has {} filters (two for each value of a patch), not {}",
           window.kernel_height, window.kernel_width, input.channels, WhiteningFilters(input, window), filters);
    }
    output_shape_.channels = filters;
    CheckSize(filters * taps * input.channels, output_shape_);
    flops_ = 2 * output_shape_.size() * taps * input.channels;
    parameters_ = {{.name = "weight",
                    .role = options.whitening ? ParameterRole::kWhitening : ParameterRole::kKernel,
                    .value = at::empty({filters, input.channels, window.kernel_height, window.kernel_width},
                                       at::TensorOptions().memory_format(at::MemoryFormat::ChannelsLast)),
                    .fan_in = taps * input.channels,
                    .fan_out = taps * filters,
                    .initial = options.initial}};
    if (!options.bias) return;
    parameters_.push_back({.name = "bias",
                           .role = options.whitening ? ParameterRole::kWhiteningBias : ParameterRole::kBias,
                           .value = at::empty({filters}),
                           .fan_in = taps * input.channels});
  }
  at::Tensor Forward(const at::Tensor& x, const ForwardContext& context) override {
    const at::Tensor bias = parameters_.size() > 1 ? parameters_[1].value.to(context.precision) : at::Tensor();
    at::Tensor y =
        at::conv2d(PadByHand(x, 0), parameters_[0].value.to(context.precision), bias, stride(), PaddingLeft());
    return activation_ != nullptr ? activation_->apply(std::move(y)) : y;
  }

 private:
  const Activation* activation_;
};

class MaxPool : public WindowLayer {
 public:
  MaxPool(const FeatureShape& input, const Window& window) : WindowLayer("pool", input, window) {
    spec_ = MaxPoolSpec{window};
  }
  at::Tensor Forward(const at::Tensor& x, const ForwardContext&) override {
    const double lowest = -std::numeric_limits<double>::infinity();
    return at::max_pool2d(PadByHand(x, lowest), kernel(), stride(), PaddingLeft());
  }
};

class AvgPool : public WindowLayer {
 public:
  AvgPool(const FeatureShape& input, const Window& window) : WindowLayer("pool", input, window) {
    spec_ = AvgPoolSpec{window};
  }
  at::Tensor Forward(const at::Tensor& x, const ForwardContext&) override {
    if (symmetric()) return Average(x, /*count_include_pad=*/false);
    // Zeros count in the sum for nothing; the same over ones gives the share of each window that is image.
    const at::Tensor ones = at::ones({1, 1, x.size(2), x.size(3)}, x.options());
    return Average(PadByHand(x, 0), true) / Average(PadByHand(ones, 0), true);
  }

 private:
  at::Tensor Average(const at::Tensor& x, bool count_include_pad) const {
    return at::avg_pool2d(x, kernel(), stride(), PaddingLeft(), /*ceil_mode=*/false, count_include_pad);
  }
};

}  // namespace

int64_t WhiteningFilters(const FeatureShape& input, const Window& window) {
  return 2 * window.kernel_height * window.kernel_width * input.channels;
}

std::unique_ptr<Layer> MakeConv(const FeatureShape& input, int64_t filters, const Window& window,
                                const Activation* activation, const KernelOptions& options) {
  return std::make_unique<Conv>(input, filters, window, activation, options);
}
std::unique_ptr<Layer> MakeMaxPool(const FeatureShape& input, const Window& window) {
  return std::make_unique<MaxPool>(input, window);
}
std::unique_ptr<Layer> MakeAvgPool(const FeatureShape& input, const Window& window) {
  return std::make_unique<AvgPool>(input, window);
}

}  // namespace spotter
