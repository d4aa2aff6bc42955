// SPDX-License-Identifier: Apache-2.0
// The page of a run: one HTML file that needs nothing else, no network either.
#pragma once

#include <string>
#include <string_view>

#include "page/report_input.h"

namespace spotter {

/// What the page may do, as a Content-Security-Policy: run its own script, and nothing from elsewhere.
inline constexpr std::string_view kPagePolicy =
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'";

/// The whole page. While the run trains (no results) it shows what there is. Names of classes and files are text in
/// it, whatever they look like.
std::string RenderPage(const ReportInput& input);

/// The page of a run that trains now: it renews itself from `state.json` and `content.json` of the server it came from.
std::string RenderLivePage(const ReportInput& input);

/// What the live page puts in place of what it shows: {"main": markup, "data": the script's data, "subtitle": text}.
Json RenderContent(const ReportInput& input);

/// A page around content that is markup of ours (the comparison of runs).
struct PageFrame {
  std::string title;
  std::string subtitle;
  std::string main;
  Json data = Json::object();
  bool live = false;
};
std::string RenderFrame(const PageFrame& frame);

}  // namespace spotter
