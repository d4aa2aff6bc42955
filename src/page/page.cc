// SPDX-License-Identifier: Apache-2.0
#include "page/page.h"

#include "base/text.h"
#include "draw/chart.h"
#include "page/assets.h"
#include "page/page_data.h"
#include "page/sections.h"

namespace spotter {
namespace {

std::string Status(const ReportInput& input) {
  const std::string status = input.run.value("status", "");
  if (status == "started" || status.empty()) return "training";
  return status == "finished" && input.run.value("stopped_early", false) ? "stopped early" : status;
}

std::string Subtitle(const ReportInput& input) {
  const std::string source = input.run.value("data", Json::object()).value("source", "");
  return source + " · " + Status(input);
}

std::string MainMarkup(const ReportInput& input) {
  pugi::xml_document document;
  Node main = document.append_child("main");
  AddSummary(main, input);
  AddCurves(main, input);
  AddClasses(main, input);
  AddConfusion(main, input);
  AddExamples(main, input);
  AddTrust(main, input);
  AddFacts(main, input);
  return InnerHtml(main);
}

std::string Escaped(const std::string& text) {
  pugi::xml_document document;
  Node node = document.append_child("p");
  AddText(node, text);
  return InnerHtml(node);
}

PageFrame Frame(const ReportInput& input, bool live) {
  return {.title = input.name,
          .subtitle = Subtitle(input),
          .main = MainMarkup(input),
          .data = PageData(input),
          .live = live};
}

}  // namespace

std::string RenderFrame(const PageFrame& frame) {
  return Fill(kPageHtml, {{"POLICY", std::string(kPagePolicy)},
                          {"TITLE", Escaped(frame.title)},
                          {"STYLE", std::string(kPageCss) + ChartStyle()},
                          {"LIVE", frame.live ? "live" : ""},
                          {"HEADING", Escaped(frame.title)},
                          {"SUBTITLE", Escaped(frame.subtitle)},
                          {"MAIN", frame.main},
                          {"DATA", ScriptSafe(DumpJson(frame.data))},
                          {"SCRIPT", std::string(kPageScript)}});
}

std::string RenderPage(const ReportInput& input) { return RenderFrame(Frame(input, /*live=*/false)); }

std::string RenderLivePage(const ReportInput& input) { return RenderFrame(Frame(input, /*live=*/true)); }

Json RenderContent(const ReportInput& input) {
  return {{"main", MainMarkup(input)}, {"data", PageData(input)}, {"subtitle", Subtitle(input)}};
}

}  // namespace spotter
