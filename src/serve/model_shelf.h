// SPDX-License-Identifier: Apache-2.0
// The models that a service answers with, by name, each exchangeable while it runs.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "serve/served_model.h"

namespace spotter {

/// A model that the user named: "RUN", "MODEL.safetensors" or "NAME=RUN".
struct ModelSource {
  std::string name;
  std::string source;
};

/// Without a name of its own a model is called as its run or file. Names are letters, digits, _ . and -, at most 64.
/// Throws Error(kUsage) for another name, and for one that two of them have.
std::vector<ModelSource> ParseModelSources(const std::vector<std::string>& arguments);

/// Safe from any thread.
class ModelShelf {
 public:
  /// Throws as ServedModel does.
  ModelShelf(std::vector<ModelSource> sources, const Compute& compute, int workers);

  /// The model of this name, the first for an empty one; nullptr when there is none. Whoever holds it answers with this
  /// version to the end, whatever Reload does.
  std::shared_ptr<ServedModel> Find(std::string_view name) const;
  std::vector<std::shared_ptr<ServedModel>> all() const;

  /// Loads every model anew; one that can't be loaded stays as it is. Tells of each in one line; whether all could be.
  bool Reload(const std::function<void(const std::string&)>& tell);

 private:
  std::vector<ModelSource> sources_;
  Compute compute_;
  int workers_;
  int64_t version_ = 1;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<ServedModel>> models_;  // as sources_
};

}  // namespace spotter
