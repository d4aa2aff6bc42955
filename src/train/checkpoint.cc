// SPDX-License-Identifier: Apache-2.0
#include "train/checkpoint.h"

#include "base/error.h"
#include "base/text.h"
#include "model_file/model_file.h"

namespace spotter {
namespace {

constexpr const char* kFormat = "spotter-checkpoint";
const std::string kModelPrefix = "model/";
const std::string kOptimizerPrefix = "optimizer/";

}  // namespace

void SaveCheckpoint(const std::filesystem::path& path, const Network& network, Optimizer& optimizer,
                    const TrainState& state, const Json& fingerprint) {
  std::vector<at::Tensor> keep;
  std::vector<TensorRecord> records;
  for (const Parameter* parameter : network.parameters()) {
    records.push_back(ToRecord(kModelPrefix + parameter->name, parameter->value, keep));
  }
  for (const auto& [name, tensor] : optimizer.State())
    records.push_back(ToRecord(kOptimizerPrefix + name, tensor, keep));
  WriteSafetensors(path, std::move(records),
                   {{"format", kFormat}, {"state", DumpJson(ToJson(state))}, {"fingerprint", DumpJson(fingerprint)}});
}

RestoredRun LoadCheckpoint(const std::filesystem::path& path, const Network& network, Optimizer& optimizer) {
  const SafetensorsFile file = ReadSafetensors(path);
  try {
    if (const auto format = file.metadata.find("format"); format == file.metadata.end() || format->second != kFormat) {
      Fail(ExitCode::kModel, "it is no checkpoint of a training run");
    }
    CopyParameters(file, kModelPrefix, network);
    for (auto& [name, tensor] : optimizer.State()) {
      const TensorRecord* record = file.Find(kOptimizerPrefix + name);
      if (record == nullptr) Fail(ExitCode::kModel, "the tensor '{}{}' is missing", kOptimizerPrefix, name);
      CopyRecord(*record, tensor);
    }
    RestoredRun run{TrainStateFromJson(Json::parse(file.metadata.at("state"))),
                    Json::parse(file.metadata.at("fingerprint"))};
    if (!run.fingerprint.is_object()) Fail(ExitCode::kModel, "its fingerprint is damaged");
    return run;
  } catch (const Error& error) {
    Fail(ExitCode::kModel, "'{}' can't be resumed: {}", path.string(), Printable(error.what()));
  } catch (const std::exception&) {
    Fail(ExitCode::kModel, "'{}' can't be resumed: its state is damaged", path.string());
  }
}

}  // namespace spotter
