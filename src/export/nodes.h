// SPDX-License-Identifier: Apache-2.0
// The parts of a classifier as ONNX nodes (opset 13): each does what the code named beside it does.
#pragma once

#include "augment/preprocessing.h"
#include "export/graph_builder.h"
#include "models/network.h"

namespace spotter {

/// FitImage (data/image.h) without its change of channels: images (N, H, W, C), uint8, of any size -> (N, C, height,
/// width), fp32 whole numbers from 0 to 255, exactly FitImage's. Each axis is one product with a matrix of the filter's
/// weights, which the graph makes from the size that it is given: ONNX's Resize has no filter of this kind in the older
/// versions, and no crop of this kind in any. In double, which holds the sums exactly.
Value FitImageNodes(GraphBuilder& graph, const Value& images, const ImageShape& shape, ResizePolicy policy);

/// WriteBatch (augment/batch.h): (N, C, H, W) of 0 to 255 -> the network's input.
Value NormalizeNodes(GraphBuilder& graph, const Value& pixels, const Preprocessing& preprocessing);

/// Network::Forward in use, not in training: (N, C, H, W) -> logits (N, classes).
Value NetworkNodes(GraphBuilder& graph, const Value& x, const Network& network);

/// ViewLogits (evaluate/views.h).
Value ViewNodes(GraphBuilder& graph, const Value& x, const Network& network, const Views& views);

}  // namespace spotter
