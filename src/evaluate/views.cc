// SPDX-License-Identifier: Apache-2.0
#include "evaluate/views.h"

namespace spotter {
namespace {

/// The mean of the logits of an image, whose plain ones are known, and of its mirror.
at::Tensor WithMirror(const LogitsOf& forward, const at::Tensor& x, const at::Tensor& plain) {
  return (plain + forward(x.flip(3))) / 2;
}

/// x moved down and right by one pixel (by = 1), or up and left (by = -1); the border mirrors the image.
at::Tensor Shifted(const at::Tensor& padded, int64_t by, const at::Tensor& x) {
  return padded.slice(2, 1 - by, 1 - by + x.size(2))
      .slice(3, 1 - by, 1 - by + x.size(3))
      .contiguous(at::MemoryFormat::ChannelsLast);
}

at::Tensor AllViews(const LogitsOf& forward, const at::Tensor& x, const at::Tensor& plain, int count) {
  const at::Tensor still = WithMirror(forward, x, plain);
  if (count == 2) return still;
  const at::Tensor padded = at::reflection_pad2d(x, {1, 1, 1, 1});
  at::Tensor moved = at::zeros_like(still);
  for (const int64_t by : {1, -1}) {
    const at::Tensor view = Shifted(padded, by, x);
    moved += WithMirror(forward, view, forward(view));
  }
  return still / 2 + moved / 4;
}

}  // namespace

at::Tensor ViewLogits(const LogitsOf& forward, const at::Tensor& x, const Views& views) {
  at::Tensor plain = forward(x);
  if (views.count == 1) return plain;
  if (views.below >= 1) return AllViews(forward, x, plain, views.count);
  const at::Tensor unsure = at::nonzero(at::softmax(plain, 1).amax(1) < views.below).squeeze(1);
  if (unsure.numel() == 0) return plain;
  const at::Tensor some = x.index_select(0, unsure).contiguous(at::MemoryFormat::ChannelsLast);
  return plain.index_copy(0, unsure, AllViews(forward, some, plain.index_select(0, unsure), views.count));
}

}  // namespace spotter
