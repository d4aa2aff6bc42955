// SPDX-License-Identifier: Apache-2.0
#include "page/html.h"

#include <sstream>

#include "base/text.h"

namespace spotter {

Node Add(Node parent, const char* tag, std::string_view classes, std::string_view text) {
  Node node = parent.append_child(tag);
  if (!classes.empty()) SetAttribute(node, "class", classes);
  if (!text.empty()) AddText(node, text);
  return node;
}

void AddText(Node parent, std::string_view text) {
  parent.append_child(pugi::node_pcdata).set_value(Printable(text).c_str());
}

void AddMarkup(Node parent, const std::string& markup) {
  parent.append_buffer(markup.data(), markup.size(), pugi::parse_default | pugi::parse_ws_pcdata_single,
                       pugi::encoding_utf8);
}

void SetAttribute(Node node, const char* name, std::string_view value) {
  node.append_attribute(name).set_value(Printable(value).c_str());
}

Node AddTable(Node parent, std::string_view classes, const std::vector<Column>& columns,
              const std::vector<std::vector<std::string>>& rows) {
  Node table = Add(parent, "table", classes);
  Node head = Add(Add(table, "thead"), "tr");
  for (const Column& column : columns)
    SetAttribute(Add(head, "th", column.number ? "number" : "", column.name), "scope", "col");
  Node body = Add(table, "tbody");
  for (const auto& row : rows) {
    Node line = Add(body, "tr");
    for (size_t i = 0; i < row.size(); ++i) {
      Node cell = Add(line, i == 0 ? "th" : "td", columns[i].number ? "number" : "", row[i]);
      if (i == 0) SetAttribute(cell, "scope", "row");
    }
  }
  return table;
}

std::string InnerHtml(Node node) {
  std::ostringstream out;
  for (const Node child : node.children())
    child.print(out, "", pugi::format_raw | pugi::format_no_empty_element_tags, pugi::encoding_utf8);
  std::string html = out.str();
  for (const std::string_view wrong : {"</img>", "</input>"}) {  // elements that HTML never closes
    for (size_t at = 0; (at = html.find(wrong, at)) != std::string::npos;) html.erase(at, wrong.size());
  }
  return html;
}

std::string Fill(std::string_view frame, const std::vector<std::pair<std::string_view, std::string>>& values) {
  std::string text;
  for (const auto& [name, value] : values) {
    const std::string mark = "{{" + std::string(name) + "}}";
    const size_t at = frame.find(mark);
    text += frame.substr(0, at);
    text += value;
    frame.remove_prefix(at + mark.size());
  }
  return text += frame;
}

std::string ScriptSafe(std::string json) {
  for (size_t at = 0; (at = json.find('<', at)) != std::string::npos;) json.replace(at, 1, "\\u003c");
  return json;
}

}  // namespace spotter
