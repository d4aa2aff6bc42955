// SPDX-License-Identifier: Apache-2.0
#include "serve/standalone_page.h"

#include "base/base64.h"
#include "export/browser_program.h"
#include "page/html.h"
#include "serve/assets.h"

namespace spotter {
namespace {

// Nothing can be asked of any other place, whatever a name in the model looks like.
constexpr const char* kHead =
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline' 'wasm-unsafe-eval'; img-src blob: data:; media-src blob: mediastream:; base-uri "
    "'none'; "
    "form-action 'none'\">\n<style>";

std::string Script(const char* id, const char* type, const std::string& content) {
  return std::string("<script type=\"") + type + "\" id=\"" + id + "\">" + content + "</script>\n";
}

}  // namespace

std::string StandalonePage(const Model& model, const Json& about) {
  const BrowserProgram program = ToBrowserProgram(model);
  Json description = program.description;
  description["about"] = about;
  description["about"]["heat_map"] = false;  // it takes gradients
  return Fill(kClassifierHtml, {{"HEAD", kHead + std::string(kClassifierCss) + "</style>"},
                                {"SCRIPTS", Script("program", "application/json", ScriptSafe(DumpJson(description))) +
                                                Script("weights", "text/plain", EncodeBase64(program.weights)) +
                                                Script("gemm", "text/plain", kGemmBase64) + "<script>" +
                                                kStandaloneScript + "</script>"}});
}

}  // namespace spotter
