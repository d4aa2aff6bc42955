// SPDX-License-Identifier: Apache-2.0
#include "options/option.h"

#define TOML_EXCEPTIONS 1
#include <toml++/toml.h>

#include <cmath>
#include <optional>

#include "base/error.h"
#include "base/text.h"

namespace spotter {
namespace {

template <typename... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <typename... F>
Overloaded(F...) -> Overloaded<F...>;

[[noreturn]] void Refuse(const Option& option, const std::string& found) {
  std::string hint;
  if (!option.choices.empty()) hint = DidYouMean(found, option.choices);
  Fail(ExitCode::kUsage, "--{} {}: expected {}{}", option.name, found.empty() ? "''" : found, OptionRange(option),
       hint);
}

bool InRange(const Option& option, double value) { return value >= option.least && value <= option.most; }

std::string NumberText(double value) {
  std::string text = fmt::format("{}", value);
  return text;
}

Json FromToml(const toml::node& node) {
  if (const auto* value = node.as_boolean()) return value->get();
  if (const auto* value = node.as_integer()) return value->get();
  if (const auto* value = node.as_floating_point()) return value->get();
  if (const auto* value = node.as_string()) return value->get();
  return nullptr;
}

std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      quoted += fmt::format("\\u{:04x}", c);
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string TomlValue(const Option& option) {
  if (const auto* const* text = std::get_if<std::string*>(&option.target)) return Quoted(**text);
  std::string value = OptionText(option);
  // TOML tells whole numbers from others by a point or an exponent.
  const bool real = std::holds_alternative<double*>(option.target);
  if (real && value.find_first_of(".en") == std::string::npos) value += ".0";
  return value;
}

}  // namespace

std::string OptionRange(const Option& option) {
  const auto range = [&](const char* what, auto least_text, auto most_text) {
    const bool lower = option.least != std::numeric_limits<double>::lowest();
    const bool upper = option.most != std::numeric_limits<double>::max();
    std::string text = what;
    if (lower && upper) return text + fmt::format(" from {} to {}", least_text, most_text);
    if (lower) return text + fmt::format(", {} or more", least_text);
    if (upper) return text + fmt::format(", {} or less", most_text);
    return text;
  };
  return std::visit(Overloaded{[](bool*) { return std::string("true or false"); },
                               [&](int64_t*) {
                                 return range("a whole number", static_cast<int64_t>(std::max(option.least, -9e18)),
                                              static_cast<int64_t>(std::min(option.most, 9e18)));
                               },
                               [&](double*) { return range("a number", option.least, option.most); },
                               [&](std::string*) {
                                 if (option.choices.empty()) return std::string("a text");
                                 std::string text = option.choices.front();
                                 for (size_t i = 1; i < option.choices.size(); ++i) {
                                   text += (i + 1 == option.choices.size() ? " or " : ", ") + option.choices[i];
                                 }
                                 return text;
                               }},
                    option.target);
}

void SetOption(const Option& option, const std::string& text) {
  std::visit(Overloaded{[&](bool* target) {
                          if (text != "true" && text != "false") Refuse(option, text);
                          *target = text == "true";
                        },
                        [&](int64_t* target) {
                          const std::optional<int64_t> value = ParseInteger(text);
                          if (!value || !InRange(option, static_cast<double>(*value))) Refuse(option, text);
                          *target = *value;
                        },
                        [&](double* target) {
                          const std::optional<double> value = ParseNumber(text);
                          if (!value || !InRange(option, *value)) Refuse(option, text);
                          *target = *value;
                        },
                        [&](std::string* target) {
                          const auto& c = option.choices;
                          if (!c.empty() && std::find(c.begin(), c.end(), text) == c.end()) Refuse(option, text);
                          *target = text;
                        }},
             option.target);
}

void SetOption(const Option& option, const Json& value) {
  const bool fits = std::visit(
      Overloaded{[&](bool*) { return value.is_boolean(); }, [&](int64_t*) { return value.is_number_integer(); },
                 [&](double*) { return value.is_number(); }, [&](std::string*) { return value.is_string(); }},
      option.target);
  if (!fits) Refuse(option, value.is_null() ? "a table, list or date" : DumpJson(value));
  if (double* const* target = std::get_if<double*>(&option.target)) {
    const auto number = value.get<double>();  // not by way of text: every digit counts when a run is repeated
    if (!std::isfinite(number) || !InRange(option, number)) Refuse(option, DumpJson(value));
    **target = number;
    return;
  }
  SetOption(option, value.is_string() ? value.get<std::string>() : value.dump());
}

Json OptionValue(const Option& option) {
  return std::visit([](auto* target) { return Json(*target); }, option.target);
}

std::string OptionText(const Option& option) {
  return std::visit(Overloaded{[](bool* v) { return std::string(*v ? "true" : "false"); },
                               [](int64_t* v) { return std::to_string(*v); }, [](double* v) { return NumberText(*v); },
                               [](std::string* v) { return *v; }},
                    option.target);
}

void ReadToml(const std::string& text, const std::string& where, const std::vector<Option>& options) {
  toml::table table;
  try {
    table = toml::parse(text);
  } catch (const toml::parse_error& error) {
    Fail(ExitCode::kUsage, "{}, line {}: {}", where, error.source().begin.line, error.description());
  }
  std::vector<std::string> names;
  for (const Option& option : options) names.push_back(option.name);
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    const auto option = std::find_if(options.begin(), options.end(), [&](const Option& o) { return o.name == name; });
    if (option == options.end()) {
      Fail(ExitCode::kUsage, "{}: no option is called '{}'{}; `spotter train --help` lists them", where, name,
           DidYouMean(name, names));
    }
    try {
      SetOption(*option, FromToml(node));
    } catch (const Error& error) {
      Fail(ExitCode::kUsage, "{}: {}", where, error.what() + 2);  // without the dashes: here it is a key
    }
  }
}

std::string WriteToml(const std::vector<Option>& options, bool with_help) {
  std::string text;
  std::string group;
  for (const Option& option : options) {
    if (option.group != group) {
      text += fmt::format("{}# {}\n", text.empty() ? "" : "\n", option.group);
      group = option.group;
    }
    if (with_help) text += fmt::format("# {}\n", option.help);
    text += fmt::format("{} = {}\n", option.name, TomlValue(option));
  }
  return text;
}

}  // namespace spotter
