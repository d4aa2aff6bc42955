// SPDX-License-Identifier: Apache-2.0
// A trained model as one self-contained safetensors file: weights, network, classes and preprocessing.
//
// The format is described in docs/model_file.md. Python opens it with the safetensors package, without code of ours.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "augment/preprocessing.h"
#include "base/json.h"
#include "model_file/safetensors.h"
#include "models/network.h"

namespace spotter {

/// What the model was worth when its training ended.
struct TestResult {
  std::string split;  // "test"; "validation" or "train" where the data had no others
  int64_t images = 0;
  double accuracy = 0;                               // in [0, 1]
  std::array<double, 2> accuracy_interval = {0, 1};  // 95 %
};

/// As the description has it, see docs/model_file.md.
Json ToJson(const TestResult& test);

/// Everything that is needed to use a network on images.
struct Model {
  std::vector<std::string> classes;
  Preprocessing preprocessing;
  Network network;
  double temperature = 1;  // probabilities are softmax(logits / temperature); in [0.01, 100], 1 unless fitted
  std::optional<TestResult> test = std::nullopt;  // none: not a finished training's model
};

/// Writes the file atomically; `extra` is added to its metadata. Throws Error(kModel) when a weight is not finite
/// (nothing is written then), Error(kIo) when writing fails (the old file stays).
void SaveModel(const std::filesystem::path& path, const Model& model,
               const std::map<std::string, std::string>& extra = {});

/// Reads a file that SaveModel wrote. Throws Error(kIo) when it can't be read, Error(kModel) when it is no model of
/// Spotter's, is damaged, or its tensors are not the network's.
Model LoadModel(const std::filesystem::path& path);

/// A tensor as a record of a safetensors file. `keep` holds the bytes for as long as the record is used. fp32 and int64
/// only.
TensorRecord ToRecord(const std::string& name, const at::Tensor& tensor, std::vector<at::Tensor>& keep);

/// Copies a record's values into a tensor. Throws Error(kModel) unless dtype and shape are the tensor's own.
void CopyRecord(const TensorRecord& record, at::Tensor& tensor);

/// Copies all of a network's parameters from a file, each by its name with `prefix` before it. Throws Error(kModel)
/// when one is missing or of another shape.
void CopyParameters(const SafetensorsFile& file, const std::string& prefix, const Network& network);

}  // namespace spotter
