// SPDX-License-Identifier: Apache-2.0
#include "draw/style.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/text.h"
#include "draw/chart.h"

namespace spotter {
namespace {

/// The lines are those of Okabe and Ito (2008) in a darker shade on white, a lighter one on black, where theirs has not
/// a contrast of 3 to the paper.
constexpr std::array<Colour, 17> kColours = {{
    {"--line-1", "#0072b2", "#4ea3e0"},  // blue
    {"--line-2", "#d55e00", "#f0803c"},  // vermillion
    {"--line-3", "#009e73", "#2fbf93"},  // bluish green
    {"--line-4", "#b5588f", "#d98bb8"},  // reddish purple
    {"--line-5", "#a87400", "#e69f00"},  // orange
    {"--line-6", "#2a8fcf", "#8fd3ff"},  // sky blue
    {"--line-7", "#3b4048", "#e6e8eb"},  // black
    {"--line-8", "#8a7f00", "#f0e442"},  // yellow
    {"--chart-ink", "#1f2328", "#e6e8eb"},
    {"--chart-faint", "#59616b", "#a3acb8"},
    {"--chart-grid", "#e3e6ea", "#30363d"},
    {"--chart-axis", "#8a929c", "#6b7480"},
    {"--chart-bar", "#0072b2", "#4ea3e0"},
    {"--chart-gap", "#d55e00", "#f0803c"},
    {"--chart-heat", "#0b5c97", "#4ea3e0"},
    {"--chart-heat-ink", "#ffffff", "#0d1117"},  // on a cell of much heat
    {"--chart-paper", "#ffffff", "#16191e"},
}};

constexpr std::array<const char*, kLineStyles> kDashes = {
    "none", "7 4", "2 3", "9 3 2 3", "14 4", "4 2", "5 2 1.5 2 1.5 2", "1.5 5"};

std::string Rules() {
  std::string rules = fmt::format(
      ".chart text{{fill:var(--chart-ink);font-size:{}px;font-variant-numeric:tabular-nums}}\n"
      ".chart .title{{font-size:{}px;font-weight:600}}\n",
      kTextSize, kTitleSize);
  rules +=
      ".chart .faint{fill:var(--chart-faint)}\n"
      ".chart .grid{stroke:var(--chart-grid);stroke-width:1}\n"
      ".chart .axis{stroke:var(--chart-axis);stroke-width:1}\n"
      ".chart .mark{stroke:var(--chart-faint);stroke-width:1;stroke-dasharray:3 3}\n"
      ".chart .line{fill:none;stroke-width:2;stroke-linejoin:round}\n"
      ".chart .bar{fill:var(--chart-bar);fill-opacity:.8}\n"
      ".chart .gap{fill:var(--chart-gap);fill-opacity:.3;stroke:var(--chart-gap);stroke-width:1.5}\n"
      ".chart .diagonal{stroke:var(--chart-ink);stroke-width:1.5;stroke-dasharray:5 4}\n"
      ".chart .images{fill:var(--chart-axis)}\n"
      ".chart .heat{fill:var(--chart-heat)}\n"
      ".chart .frame{fill:none;stroke:var(--chart-axis);stroke-width:1}\n"
      ".chart .heat-number{text-anchor:middle}\n"
      ".chart .hot{fill:var(--chart-heat-ink)}\n"
      ".chart .right{stroke:var(--line-3);fill:var(--line-3)}\n"
      ".chart .wrong{stroke:var(--line-2);fill:var(--line-2)}\n"
      ".chart .crisp{image-rendering:pixelated}\n";
  for (int i = 1; i <= kLineStyles; ++i) {
    rules += fmt::format(".chart .line-{0}{{stroke:var(--line-{0});stroke-dasharray:{1}}}\n", i,
                         kDashes[static_cast<size_t>(i - 1)]);
    rules += fmt::format(".chart .dot-{0}{{fill:var(--line-{0})}}\n", i);
  }
  return rules;
}

std::string Properties(const char* Colour::*theme) {
  std::string properties;
  for (const Colour& colour : kColours) properties += fmt::format("{}:{};", colour.name, colour.*theme);
  return properties;
}

}  // namespace

const Colour& FindColour(const std::string& name) {
  const auto found = std::find_if(kColours.begin(), kColours.end(), [&](const Colour& c) { return c.name == name; });
  if (found == kColours.end()) Fail(ExitCode::kInternal, "charts have no colour {}", name);
  return *found;
}

std::string ChartStyle() {
  return fmt::format(
             ":root{{{0}}}\n"
             "@media (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{1}}}}}\n"
             ":root[data-theme=dark]{{{1}}}\n"
             ".chart{{display:block;width:100%;height:auto}}\n",
             Properties(&Colour::light), Properties(&Colour::dark)) +
         Rules();
}

std::string FileStyle() {
  std::string style =
      ".chart{font-family:\"Helvetica Neue\",Helvetica,Arial,\"DejaVu Sans\",sans-serif}\n"
      ".chart .paper{fill:var(--chart-paper)}\n" +
      Rules();
  for (const Colour& colour : kColours) {
    const std::string use = fmt::format("var({})", colour.name);
    for (size_t at; (at = style.find(use)) != std::string::npos;) style.replace(at, use.size(), colour.light);
  }
  return style;
}

}  // namespace spotter
