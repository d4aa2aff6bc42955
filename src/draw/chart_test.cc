// SPDX-License-Identifier: Apache-2.0
#include "draw/chart.h"

#include <png.h>

#include <cmath>
#include <pugixml.hpp>
#include <random>

#include "base/error.h"
#include "base/text.h"
#include "draw/style.h"
#include "support/test_support.h"

namespace spotter {
namespace {

constexpr const char* kHostile = "<img src=x onerror=alert(1)>\"'&]]></svg><script>";
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

pugi::xml_document Parse(const std::string& svg) {
  pugi::xml_document document;
  const auto result = document.load_string(svg.c_str(), pugi::parse_full);
  EXPECT_TRUE(result) << result.description() << "\n" << svg;
  return document;
}

std::vector<double> Numbers(const pugi::xml_attribute& attribute) {
  std::vector<double> numbers;
  const std::string text = attribute.value();
  for (const auto word : Split(text, ' ')) numbers.push_back(ParseNumber(word).value_or(kNan));
  return numbers;
}

std::vector<std::string> Texts(const pugi::xml_document& document) {
  std::vector<std::string> texts;
  for (const auto& node : document.select_nodes("//text")) texts.push_back(node.node().text().get());
  return texts;
}

bool Has(const std::vector<std::string>& texts, const std::string& text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

/// Coordinates of "M1 2L3 4": {1, 2, 3, 4}.
std::vector<double> Points(std::string path) {
  for (char& c : path) c = c == 'M' || c == 'L' ? ' ' : c;
  std::vector<double> points;
  for (const auto word : Split(Trim(path), ' ')) points.push_back(ParseNumber(word).value());
  return points;
}

struct Pixels {
  int height = 0;
  int width = 0;
  std::vector<uint8_t> rgb;
  std::array<int, 3> at(double x, double y) const {
    const size_t i = (static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x)) * 3;
    return {rgb.at(i), rgb.at(i + 1), rgb.at(i + 2)};
  }
};

Pixels Render(const std::string& svg, double scale) {
  const std::string png = SvgToPng(svg, scale);
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  EXPECT_NE(png_image_begin_read_from_memory(&image, png.data(), png.size()), 0);
  image.format = PNG_FORMAT_RGB;
  Pixels pixels{static_cast<int>(image.height), static_cast<int>(image.width), {}};
  pixels.rgb.resize(PNG_IMAGE_SIZE(image));
  EXPECT_NE(png_image_finish_read(&image, nullptr, pixels.rgb.data(), 0, nullptr), 0);
  return pixels;
}

LineChart TwoLines() {
  LineChart chart{"Accuracy", "epoch", "Accuracy by epoch", ValueFormat::kPercent};
  chart.y_range = {0, 1};
  chart.series = {{"training", {1, 2, 3, 4}, {0.25, 0.5, 0.75, 1}}, {"validation", {1, 2}, {0.5, 0.123456789}}};
  return chart;
}

TEST(Lines, PassThroughTheirPoints) {
  const auto page = Parse(DrawLines(TwoLines(), ChartUse::kPage));
  const auto svg = page.child("svg");
  const auto plot = Numbers(svg.attribute("data-plot"));
  ASSERT_EQ(plot.size(), 4u);
  EXPECT_EQ(Numbers(svg.attribute("data-x-range")), (std::vector<double>{1, 4}));
  EXPECT_EQ(Numbers(svg.attribute("data-y-range")), (std::vector<double>{0, 1}));
  EXPECT_STREQ(svg.attribute("data-y-format").value(), "percent");
  const auto points = Points(page.select_node("//path[@class='line line-1']").node().attribute("d").value());
  ASSERT_EQ(points.size(), 8u);
  for (int i = 0; i < 4; ++i) {
    EXPECT_NEAR(points[2 * i], plot[0] + plot[2] * i / 3, 0.006);
    EXPECT_NEAR(points[2 * i + 1], plot[1] + plot[3] * (1 - 0.25 * (i + 1)), 0.006);
  }
}

TEST(Lines, TellAPagesScriptAllPoints) {
  const auto page = Parse(DrawLines(TwoLines(), ChartUse::kPage));
  const auto line = page.select_node("//path[@class='line line-2']").node();
  EXPECT_STREQ(line.attribute("data-name").value(), "validation");
  EXPECT_STREQ(line.attribute("data-x").value(), "1 2");
  EXPECT_STREQ(line.attribute("data-y").value(), "0.5 0.12345679");  // rounded once, where it is shown
  const auto file = Parse(DrawLines(TwoLines(), ChartUse::kFile));
  EXPECT_TRUE(file.select_nodes("//path[@data-x]").empty());
}

TEST(Lines, AreReadToThoseWhoDoNotSee) {
  const auto page = Parse(DrawLines(TwoLines(), ChartUse::kPage));
  const auto svg = page.child("svg");
  EXPECT_STREQ(svg.attribute("role").value(), "img");
  std::string heard;
  const std::string labels = svg.attribute("aria-labelledby").value();
  for (const auto id : Split(labels, ' ')) {
    heard += page.select_node(("//*[@id='" + std::string(id) + "']").c_str()).node().text().get() + std::string(". ");
  }
  EXPECT_EQ(heard, "Accuracy. Accuracy by epoch. ");
}

TEST(Lines, BreakAtGapsAndShowLonePointsAsDots) {
  LineChart chart;
  const double infinity = std::numeric_limits<double>::infinity();
  chart.series = {{"loss", {1, 2, 3, 4, 5, 6, 7}, {1, 2, kNan, 3, infinity, 4, 5}}};
  const auto page = Parse(DrawLines(chart, ChartUse::kPage));
  const auto line = page.select_node("//path").node();
  const std::string path = line.attribute("d").value();
  EXPECT_EQ(std::count(path.begin(), path.end(), 'M'), 2);
  EXPECT_EQ(std::count(path.begin(), path.end(), 'L'), 2);
  EXPECT_EQ(page.select_nodes("//circle").size(), 1u);
  EXPECT_STREQ(line.attribute("data-y").value(), "1 2 NaN 3 NaN 4 5");
}

TEST(Lines, OfOneEpochAreDots) {
  LineChart chart;
  chart.series = {{"a", {1}, {0.5}}, {"b", {1}, {0.6}}};
  const auto page = Parse(DrawLines(chart, ChartUse::kPage));
  EXPECT_EQ(page.select_nodes("//circle").size(), 2u);
  EXPECT_TRUE(Has(Texts(page), "1"));
}

TEST(Lines, WithoutValuesSaySo) {
  LineChart chart{"Loss", "epoch", ""};
  for (const auto& series :
       {std::vector<Series>{}, std::vector<Series>{{"a", {}, {}}}, std::vector<Series>{{"a", {1, 2}, {kNan, kNan}}}}) {
    chart.series = series;
    const auto page = Parse(DrawLines(chart, ChartUse::kPage));
    EXPECT_TRUE(Has(Texts(page), "no data yet"));
    EXPECT_TRUE(page.child("svg").attribute("data-x-range").empty());
    EXPECT_GT(Render(DrawLines(chart, ChartUse::kFile), 1).height, 100);
  }
}

TEST(Lines, SurviveValuesOfAnySize) {
  for (const double value : {0.0, -1e99, 1e99, 1e-300, 5e7, 123456789.0}) {
    for (const ValueFormat format : {ValueFormat::kNumber, ValueFormat::kPercent, ValueFormat::kScientific}) {
      LineChart chart;
      chart.y_format = format;
      chart.series = {{"a", {1, 2, 3}, {value, value, value * 3}}, {"b", {1}, {1e300}}};
      const auto file = Parse(DrawLines(chart, ChartUse::kFile));
      for (const double y : Points(file.select_node("//path").node().attribute("d").value())) {
        EXPECT_TRUE(y >= 0 && y < 1000) << value << ": " << y;
      }
    }
  }
}

TEST(Lines, NeedAsManyXAsY) {
  LineChart chart;
  chart.series = {{"a", {1, 2}, {1}}};
  EXPECT_THROW(DrawLines(chart, ChartUse::kPage), Error);
}

TEST(Lines, MarkAnEpoch) {
  LineChart chart = TwoLines();
  chart.marked_label = "best epoch 2";
  chart.marked_x = 2;
  const auto page = Parse(DrawLines(chart, ChartUse::kPage));
  const auto plot = Numbers(page.child("svg").attribute("data-plot"));
  const auto mark = page.select_node("//line[@class='mark']").node();
  EXPECT_NEAR(mark.attribute("x1").as_double(), plot[0] + plot[2] / 3, 0.006);
  EXPECT_TRUE(Has(Texts(page), "best epoch 2"));
  chart.marked_x = 9;
  EXPECT_TRUE(Parse(DrawLines(chart, ChartUse::kPage)).select_nodes("//line[@class='mark']").empty());
}

TEST(Lines, OfAThousandEpochsStaySmallAndKeepTheirExtremes) {
  std::mt19937 random(1);
  LineChart chart{"Loss", "epoch", ""};
  for (const char* name : {"training", "validation"}) {
    Series& series = chart.series.emplace_back(Series{name, {}, {}});
    for (int i = 1; i <= 1000; ++i) {
      series.x.push_back(i);
      series.y.push_back(static_cast<double>(random() % 1000) / 1000);
    }
  }
  chart.y_range = {0, 10};
  chart.series[0].y[777] = 9;
  chart.series[0].y[999] = 5;
  const std::string svg = DrawLines(chart, ChartUse::kFile);
  EXPECT_LT(svg.size(), 40'000u);
  const auto file = Parse(svg);
  const auto plot = Numbers(file.child("svg").attribute("data-plot"));
  const auto points = Points(file.select_node("//path[@class='line line-1']").node().attribute("d").value());
  double highest = 1e9;
  for (size_t i = 1; i < points.size(); i += 2) highest = std::min(highest, points[i]);
  EXPECT_NEAR(highest, plot[1] + plot[3] * 0.1, 0.006);
  EXPECT_NEAR(points[points.size() - 2], plot[0] + plot[2], 0.006);  // the last epoch
  EXPECT_NEAR(points.back(), plot[1] + plot[3] * 0.5, 0.006);
}

// Every kind of chart, every use, with names that try to leave their place.
TEST(Charts, EscapeWhateverANameHolds) {
  LineChart lines{kHostile, kHostile, kHostile};
  lines.series = {{kHostile, {1, 2}, {1, 2}}};
  lines.marked_x = 1;
  lines.marked_label = kHostile;
  const HeatMapChart map{kHostile, {kHostile, "a\x01\xFF\xEF\xBF\xBF"}, {{3, 1}, {0, 4}}, true};
  const std::vector<ReliabilityBar> bars = {{0, 1, 0.5, 0.6, 3}};
  const std::vector<ExamplePicture> examples = {{{1, 1, {1, 2, 3}}, kHostile, kHostile, false}};
  std::vector<std::string> drawings = {DrawExamples(kHostile, examples, 3)};
  for (const ChartUse use : {ChartUse::kPage, ChartUse::kFile}) {
    drawings.insert(drawings.end(),
                    {DrawLines(lines, use), DrawHeatMap(map, use), DrawReliability(bars, kHostile, use)});
  }
  for (const std::string& drawing : drawings) {
    const auto document = Parse(drawing);
    EXPECT_TRUE(document.select_nodes("//script | //img | //*[@onerror]").empty());
    EXPECT_EQ(drawing.find("<img"), std::string::npos);
    EXPECT_TRUE(
        std::string(document.select_node("//text[@class='title']").node().text().get()).starts_with("<img src="));
    EXPECT_GT(SvgToPng(drawing, 1).size(), 500u);  // librsvg reads XML more strictly than pugixml
  }
}

TEST(Charts, OfAFileNeedNothingFromAPage) {
  const std::string svg = DrawLines(TwoLines(), ChartUse::kFile);
  EXPECT_EQ(svg.find("var("), std::string::npos);
  const auto file = Parse(svg);
  EXPECT_STREQ(file.child("svg").attribute("xmlns").value(), "http://www.w3.org/2000/svg");
  EXPECT_FALSE(file.child("svg").attribute("width").empty());
  const auto page = Parse(DrawLines(TwoLines(), ChartUse::kPage));
  EXPECT_TRUE(page.select_nodes("//style").empty());
  EXPECT_TRUE(page.child("svg").attribute("width").empty());
}

TEST(Reliability, BarsAreAsHighAsTheAccuracy) {
  const std::vector<ReliabilityBar> bars = {{0, 0.5, 0, 0, 0}, {0.5, 1, 0.25, 0.75, 1200}};
  const auto page = Parse(DrawReliability(bars, "Reliability", ChartUse::kPage));
  const auto plot = Numbers(page.child("svg").attribute("data-plot"));
  ASSERT_EQ(page.select_nodes("//rect[@class='bar'][title]").size(), 1u);  // none for the empty bin
  const auto bar = page.select_node("//rect[@class='bar'][title]").node();
  EXPECT_NEAR(bar.attribute("height").as_double(), plot[3] / 4, 0.01);
  EXPECT_NEAR(bar.attribute("y").as_double(), plot[1] + plot[3] * 0.75, 0.01);
  EXPECT_NEAR(bar.attribute("x").as_double(), plot[0] + plot[2] / 2, 2);
  const auto gap = page.select_node("//rect[@class='gap'][title]").node();
  EXPECT_NEAR(gap.attribute("y").as_double(), plot[1] + plot[3] * 0.25, 0.01);
  EXPECT_NEAR(gap.attribute("height").as_double(), plot[3] / 2, 0.01);
  EXPECT_NE(std::string(bar.child("title").text().get()).find("1,200 images"), std::string::npos);
}

TEST(Reliability, WithoutImagesSaysSo) {
  EXPECT_TRUE(Has(Texts(Parse(DrawReliability({}, "", ChartUse::kFile))), "no data yet"));
}

TEST(HeatMap, HoldsCountsOrPercent) {
  HeatMapChart map{"Confusion", {"cat", "dog"}, {{30, 10}, {0, 12345}}, false};
  auto texts = Texts(Parse(DrawHeatMap(map, ChartUse::kPage)));
  for (const char* text : {"cat", "dog", "30", "10", "12k"}) EXPECT_TRUE(Has(texts, text)) << text;
  EXPECT_FALSE(Has(texts, "0"));
  map.normalised = true;
  const auto page = Parse(DrawHeatMap(map, ChartUse::kPage));
  texts = Texts(page);
  for (const char* text : {"75", "25", "100"}) EXPECT_TRUE(Has(texts, text)) << text;
  const auto cells = page.select_nodes("//rect[@class='heat']");
  ASSERT_EQ(cells.size(), 3u);
  EXPECT_NEAR(cells[1].node().attribute("fill-opacity").as_double(), std::sqrt(0.25), 0.006);
  EXPECT_STREQ(cells[1].node().child("title").text().get(), "cat taken for dog: 10 (25.0 %)");
}

TEST(HeatMap, MustBeSquare) {
  EXPECT_THROW(DrawHeatMap({"", {"a", "b"}, {{1, 2}, {1}}, true}, ChartUse::kPage), Error);
  EXPECT_THROW(DrawHeatMap({"", {"a", "b"}, {{1, 2}}, true}, ChartUse::kPage), Error);
}

HeatMapChart ManyClasses(size_t classes) {
  std::mt19937 random(1);
  HeatMapChart map{"Confusion", {}, std::vector(classes, std::vector<int64_t>(classes)), true};
  for (size_t i = 0; i < classes; ++i) {
    map.classes.push_back("class " + std::to_string(i));
    map.counts[i][i] = 40;
    for (int k = 0; k < 10; ++k) ++map.counts[i][random() % classes];
  }
  return map;
}

TEST(HeatMap, OfManyClassesIsOneSmallPicture) {
  for (const ChartUse use : {ChartUse::kPage, ChartUse::kFile}) {
    const std::string svg = DrawHeatMap(ManyClasses(200), use);
    EXPECT_LT(svg.size(), 60'000u);
    EXPECT_EQ(Parse(svg).select_nodes("//image").size(), 1u);
  }
}

// A cell of much heat is blue, its neighbour without any is white, and the edge between them is sharp.
TEST(HeatMap, OfManyClassesHasItsCellsInTheirPlaces) {
  HeatMapChart map = ManyClasses(40);
  for (auto& row : map.counts) std::fill(row.begin(), row.end(), 0);
  map.counts[3][7] = 1;
  const std::string svg = DrawHeatMap(map, ChartUse::kFile);
  const auto plot = Numbers(Parse(svg).child("svg").attribute("data-plot"));
  const Pixels pixels = Render(svg, 2);
  const double cell = plot[2] / 40;
  const double x = plot[0] + 7 * cell;
  const double y = plot[1] + 3.5 * cell;
  const std::array<int, 3> white = {255, 255, 255}, blue = {0x2f, 0x7f, 0xc1};
  EXPECT_EQ(pixels.at(2 * (x + 1), 2 * y), blue);
  EXPECT_EQ(pixels.at(2 * (x + cell - 1), 2 * y), blue);
  EXPECT_EQ(pixels.at(2 * (x - 1), 2 * y), white);
  EXPECT_EQ(pixels.at(2 * (x + cell + 1), 2 * y), white);
}

TEST(Examples, AreEnlargedWithSharpPixels) {
  const Picture picture{1, 2, {200, 0, 0, 0, 0, 200}};
  const std::string svg = DrawExamples("", std::vector<ExamplePicture>{{picture, "a", "b", true}}, 4);
  const auto file = Parse(svg);
  const auto image = file.select_node("//image").node();
  const double x = image.attribute("x").as_double(), y = image.attribute("y").as_double();
  const double width = image.attribute("width").as_double(), height = image.attribute("height").as_double();
  EXPECT_EQ(width, 2 * height);
  const Pixels pixels = Render(svg, 2);
  EXPECT_EQ(pixels.at(2 * (x + width / 2 - 1), 2 * y + height), (std::array<int, 3>{200, 0, 0}));
  EXPECT_EQ(pixels.at(2 * (x + width / 2 + 1), 2 * y + height), (std::array<int, 3>{0, 0, 200}));
}

TEST(Examples, StandInColumns) {
  const std::vector<ExamplePicture> examples(5, {{1, 1, {0, 0, 0}}, "a", "b", false});
  const auto file = Parse(DrawExamples("t", examples, 2));
  const auto images = file.select_nodes("//image");
  ASSERT_EQ(images.size(), 5u);
  const auto at = [&](size_t i, const char* name) { return images[i].node().attribute(name).as_double(); };
  EXPECT_EQ(at(0, "y"), at(1, "y"));
  EXPECT_EQ(at(0, "x"), at(2, "x"));
  EXPECT_LT(at(0, "y"), at(2, "y"));
}

constexpr const char* kTwoHalves =
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 20 10'{}><rect width='10' height='10' fill='#ff0000'/>"
    "<rect x='10' width='10' height='10' fill='#0000ff'/></svg>";

TEST(SvgToPng, DrawsInTheSizeThatIsAskedFor) {
  for (const char* size : {" width='20' height='10'", ""}) {
    const Pixels pixels = Render(fmt::format(fmt::runtime(kTwoHalves), size), 3);
    ASSERT_EQ(pixels.width, 60);
    ASSERT_EQ(pixels.height, 30);
    EXPECT_EQ(pixels.at(10, 15), (std::array<int, 3>{255, 0, 0}));
    EXPECT_EQ(pixels.at(50, 15), (std::array<int, 3>{0, 0, 255}));
  }
}

TEST(SvgToPng, SaysWhatIsWrong) {
  for (const char* broken : {"", "<svg", "<html/>", "<svg xmlns='http://www.w3.org/2000/svg'/>"}) {
    EXPECT_THROW(SvgToPng(broken, 1), Error) << broken;
  }
  EXPECT_THROW(SvgToPng(fmt::format(fmt::runtime(kTwoHalves), ""), 1e5), Error);
}

TEST(SvgToPng, DrawsAChartsLinesInTheirColours) {
  LineChart chart = TwoLines();
  chart.series = {{"half", {0, 1}, {0.5, 0.5}}};
  const std::string svg = DrawLines(chart, ChartUse::kFile);
  const auto plot = Numbers(Parse(svg).child("svg").attribute("data-plot"));
  const Pixels pixels = Render(svg, 4);
  EXPECT_EQ(pixels.width, 4 * 440);
  EXPECT_EQ(pixels.at(4 * (plot[0] + plot[2] * 0.3), 4 * (plot[1] + plot[3] / 2)), (std::array<int, 3>{0, 0x72, 0xb2}));
  EXPECT_EQ(pixels.at(1, 1), (std::array<int, 3>{255, 255, 255}));
}

/// WCAG 2.2's relative luminance of "#rrggbb".
double Luminance(const std::string& colour) {
  double luminance = 0;
  const double weights[] = {0.2126, 0.7152, 0.0722};
  for (size_t c = 0; c < 3; ++c) {
    const double value = std::stoi(colour.substr(1 + 2 * c, 2), nullptr, 16) / 255.0;
    luminance += weights[c] * (value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4));
  }
  return luminance;
}

double Contrast(const std::string& a, const std::string& b) {
  const double ratio = (Luminance(a) + 0.05) / (Luminance(b) + 0.05);
  return std::max(ratio, 1 / ratio);
}

TEST(ChartStyle, HasTheContrastThatWcagAsksFor) {
  const auto expect = [](const std::string& name, double least) {
    EXPECT_GE(Contrast(FindColour(name).light, FindColour("--chart-paper").light), least) << name;
    EXPECT_GE(Contrast(FindColour(name).dark, FindColour("--chart-paper").dark), least) << name;
  };
  for (int i = 1; i <= kLineStyles; ++i) expect("--line-" + std::to_string(i), 3);
  expect("--chart-ink", 4.5);
  expect("--chart-faint", 4.5);
  expect("--chart-axis", 3);
}

TEST(ChartStyle, HasALightAndADarkTheme) {
  const std::string style = ChartStyle();
  for (const char* part :
       {"prefers-color-scheme:dark", "[data-theme=dark]", "[data-theme=light]", "--line-8:#8a7f00"}) {
    EXPECT_NE(style.find(part), std::string::npos) << part;
  }
}

}  // namespace
}  // namespace spotter
