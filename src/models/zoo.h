// SPDX-License-Identifier: Apache-2.0
// The networks that Spotter knows by name: one visible list. To add one, add an entry in zoo.cc.
#pragma once

#include <string>
#include <vector>

namespace spotter {

struct ZooEntry {
  std::string name;
  std::string description;
  std::string layers;  // in the layer language
};

const std::vector<ZooEntry>& Zoo();

/// The layers of a named network, or the text itself when it is a layer list (has a space or a comma).
/// Throws Error(kUsage) for a word that is no name.
std::string ResolveModel(const std::string& name_or_layers);

}  // namespace spotter
