// SPDX-License-Identifier: Apache-2.0
// HTML as a tree: text that goes in by these functions is text, whatever markup it looks like.
#pragma once

#include <pugixml.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace spotter {

using Node = pugi::xml_node;

/// Appends <tag class="...">text</tag> and returns it; no class attribute when `classes` is empty.
Node Add(Node parent, const char* tag, std::string_view classes = "", std::string_view text = "");

/// Appends text behind what the node holds already.
void AddText(Node parent, std::string_view text);

/// Appends markup that we made ourselves (a chart).
void AddMarkup(Node parent, const std::string& markup);

void SetAttribute(Node node, const char* name, std::string_view value);

/// Appends a table; the first row is its head. Cells that hold numbers are set to the right by the class "number".
struct Column {
  std::string name;
  bool number = false;
};
Node AddTable(Node parent, std::string_view classes, const std::vector<Column>& columns,
              const std::vector<std::vector<std::string>>& rows);

/// The markup of a node's children.
std::string InnerHtml(Node node);

/// A page's frame with each {{NAME}} replaced, in the order in which they stand there; what was put in is not looked
/// through again.
std::string Fill(std::string_view frame, const std::vector<std::pair<std::string_view, std::string>>& values);

/// JSON for the inside of a <script> element: no character of it can end the element.
std::string ScriptSafe(std::string json);

}  // namespace spotter
