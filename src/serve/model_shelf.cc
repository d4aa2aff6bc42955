// SPDX-License-Identifier: Apache-2.0
#include "serve/model_shelf.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"

namespace spotter {
namespace {

constexpr size_t kLongestName = 64;

bool IsNameCharacter(unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '.' || c == '-'; }

bool IsName(const std::string& name) {
  return !name.empty() && name.size() <= kLongestName && std::all_of(name.begin(), name.end(), IsNameCharacter);
}

/// runs/cifar10-1, runs/cifar10-1/model.safetensors -> "cifar10-1"; pets.safetensors -> "pets".
std::string NameOf(const std::string& source) {
  std::string name = LastName(source);
  if (IsFile(source)) {
    name = std::filesystem::path(name).stem().string();
    const std::string folder = LastName(std::filesystem::absolute(source).parent_path());
    if (name == "model" && !folder.empty()) name = folder;
  }
  for (char& c : name) c = IsNameCharacter(static_cast<unsigned char>(c)) ? c : '-';
  return name.substr(0, kLongestName);
}

}  // namespace

std::vector<ModelSource> ParseModelSources(const std::vector<std::string>& arguments) {
  std::vector<ModelSource> sources;
  for (const std::string& argument : arguments) {
    const size_t equals = argument.find('=');
    ModelSource given{.name = "", .source = argument};
    if (equals != std::string::npos && !PathExists(argument)) {
      given = {.name = argument.substr(0, equals), .source = argument.substr(equals + 1)};
      if (!IsName(given.name))
        Fail(ExitCode::kUsage, "'{}' can't be a model's name: 1 to {} letters, digits, _ . and - were expected",
             given.name, kLongestName);
    } else {
      given.name = NameOf(argument);
    }
    for (const ModelSource& other : sources) {
      if (other.name == given.name)
        Fail(ExitCode::kUsage, "'{}' and '{}' would both be called '{}'; name them: NAME={}", other.source,
             given.source, given.name, given.source);
    }
    sources.push_back(std::move(given));
  }
  return sources;
}

ModelShelf::ModelShelf(std::vector<ModelSource> sources, const Compute& compute, int workers)
    : sources_(std::move(sources)), compute_(compute), workers_(workers) {
  for (const auto& [name, source] : sources_)
    models_.push_back(std::make_shared<ServedModel>(name, version_, source, compute, workers));
}

std::shared_ptr<ServedModel> ModelShelf::Find(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  if (name.empty()) return models_.front();
  const auto found = std::find_if(models_.begin(), models_.end(), [&](const auto& m) { return m->name() == name; });
  return found == models_.end() ? nullptr : *found;
}

std::vector<std::shared_ptr<ServedModel>> ModelShelf::all() const {
  const std::lock_guard lock(mutex_);
  return models_;
}

bool ModelShelf::Reload(const std::function<void(const std::string&)>& tell) {
  ++version_;
  bool all_loaded = true;
  for (size_t i = 0; i < sources_.size(); ++i) {
    const auto& [name, source] = sources_[i];
    try {
      auto fresh = std::make_shared<ServedModel>(name, version_, source, compute_, workers_);
      tell(fmt::format("{}: version {} of '{}' answers from now on", name, version_, source));
      const std::lock_guard lock(mutex_);
      models_[i].swap(fresh);  // the old one ends with the last request that holds it, outside of the lock
    } catch (const std::exception& error) {
      all_loaded = false;
      tell(fmt::format("{}: the new version can't be loaded, the old one stays: {}", name, error.what()));
    }
  }
  return all_loaded;
}

}  // namespace spotter
