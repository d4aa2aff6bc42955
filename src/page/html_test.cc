// SPDX-License-Identifier: Apache-2.0
#include "page/html.h"

#include <gtest/gtest.h>

namespace spotter {
namespace {

std::string Rendered(void (*fill)(Node)) {
  pugi::xml_document document;
  Node main = document.append_child("main");
  fill(main);
  return InnerHtml(main);
}

TEST(Html, TextIsNeverMarkup) {
  EXPECT_EQ(Rendered([](Node main) { Add(main, "p", "a\"b", "<img onerror=alert(1)> & \"x\""); }),
            "<p class=\"a&quot;b\">&lt;img onerror=alert(1)&gt; &amp; \"x\"</p>");
}

TEST(Html, BytesThatAreNoTextAreReplaced) {
  EXPECT_EQ(Rendered([](Node main) { Add(main, "p", "", "a\xff\x01"); }), "<p>a\xEF\xBF\xBD?</p>");
}

TEST(Html, EmptyElementsAreClosedAsHtmlWantsIt) {
  EXPECT_EQ(Rendered([](Node main) {
              Add(main, "div");
              SetAttribute(Add(main, "img"), "alt", "x");
            }),
            "<div></div><img alt=\"x\">");
}

TEST(Html, Tables) {
  EXPECT_EQ(Rendered([](Node main) {
              AddTable(main, "", {{"class"}, {"F1", true}}, {{"cat", "0.5"}});
            }),
            "<table><thead><tr><th scope=\"col\">class</th><th class=\"number\" scope=\"col\">F1</th></tr></thead>"
            "<tbody><tr><th scope=\"row\">cat</th><td class=\"number\">0.5</td></tr></tbody></table>");
}

TEST(Html, ScriptsCannotBeLeft) { EXPECT_EQ(ScriptSafe("[\"</script><!--\"]"), "[\"\\u003c/script>\\u003c!--\"]"); }

}  // namespace
}  // namespace spotter
