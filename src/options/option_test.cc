// SPDX-License-Identifier: Apache-2.0
#include "options/option.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "base/error.h"

namespace spotter {
namespace {

/// One option of each kind.
struct Values {
  bool flag = false;
  int64_t whole = 10;
  double number = 0.5;
  std::string word = "adam";
  std::string text = "any";

  std::vector<Option> Options() {
    Option choice{"optimizer", &word, "the optimizer"};
    choice.choices = {"adam", "adamw", "sgd"};
    std::vector<Option> list = {{"flip", &flag, "mirror"},
                                {"batch-size", &whole, "images a step", 1, 1000},
                                {"rate", &number, "the rate", 0, 1},
                                choice,
                                {"model", &text, "the model"}};
    list[0].group = list[1].group = "First";
    list[2].group = list[3].group = list[4].group = "Second";
    return list;
  }
};

std::string Refusal(const std::function<void()>& set) {
  try {
    set();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
    return error.what();
  }
  ADD_FAILURE() << "it was accepted";
  return "";
}

TEST(SetOption, ReadsTextAsTyped) {
  Values v;
  const auto options = v.Options();
  SetOption(options[0], std::string("true"));
  SetOption(options[1], std::string("1000"));
  SetOption(options[2], std::string("1e-1"));
  SetOption(options[3], std::string("sgd"));
  SetOption(options[4], std::string(""));
  EXPECT_TRUE(v.flag);
  EXPECT_EQ(v.whole, 1000);
  EXPECT_EQ(v.number, 0.1);
  EXPECT_EQ(v.word, "sgd");
  EXPECT_EQ(v.text, "");
  SetOption(options[0], std::string("false"));
  EXPECT_FALSE(v.flag);
}

TEST(SetOption, SaysWhatWasFoundAndWhatWasExpected) {
  Values v;
  const auto options = v.Options();
  const auto message = [&](size_t i, const std::string& text) { return Refusal([&] { SetOption(options[i], text); }); };
  EXPECT_EQ(message(1, "0"), "--batch-size 0: expected a whole number from 1 to 1000");
  EXPECT_EQ(message(1, "1001"), "--batch-size 1001: expected a whole number from 1 to 1000");
  EXPECT_EQ(message(1, "ten"), "--batch-size ten: expected a whole number from 1 to 1000");
  EXPECT_EQ(message(1, ""), "--batch-size '': expected a whole number from 1 to 1000");
  EXPECT_EQ(message(2, "1.01"), "--rate 1.01: expected a number from 0 to 1");
  EXPECT_EQ(message(0, "yes"), "--flip yes: expected true or false");
  EXPECT_EQ(message(3, "adm"), "--optimizer adm: expected adam, adamw or sgd (did you mean 'adam'?)");
  EXPECT_EQ(message(3, "xyzzyxyzzy"), "--optimizer xyzzyxyzzy: expected adam, adamw or sgd");
  for (const char* bad : {"1.0", "1e2", " 1", "1 ", "+1", "0x10", "99999999999999999999"})
    EXPECT_NE(message(1, bad), "") << bad;
  for (const char* bad : {"nan", "inf", "-inf", "1e400", "0,5", ".", "1 2"}) EXPECT_NE(message(2, bad), "") << bad;
  EXPECT_EQ(v.whole, 10) << "a refused value must not stay";
  EXPECT_EQ(v.number, 0.5);
  EXPECT_EQ(v.word, "adam");
}

TEST(SetOption, WantsJsonOfItsOwnType) {
  Values v;
  const auto options = v.Options();
  SetOption(options[2], Json(1));  // whole numbers pass for numbers
  EXPECT_EQ(v.number, 1.0);
  SetOption(options[2], Json(0.1 + 0.2));
  EXPECT_EQ(v.number, 0.1 + 0.2);
  SetOption(options[1], Json(7));
  EXPECT_EQ(v.whole, 7);
  const std::vector<std::pair<size_t, Json>> bad = {{0, 1},       {0, "true"},  {1, 1.0},     {1, "7"},
                                                    {1, true},    {1, 0},       {2, "0.5"},   {2, 2},
                                                    {2, nullptr}, {3, 5},       {3, "other"}, {4, Json::array()},
                                                    {4, 1},       {1, nullptr}, {2, NAN},     {1, uint64_t{1} << 63}};
  for (const auto& [i, value] : bad) {
    SCOPED_TRACE(options[i].name + " = " + value.dump());
    EXPECT_NE(Refusal([&] { SetOption(options[i], value); }), "");
  }
}

TEST(OptionRange, SaysWhatIsAllowed) {
  double x = 0;
  int64_t n = 0;
  EXPECT_EQ(OptionRange({"x", &x, ""}), "a number");
  EXPECT_EQ(OptionRange({"x", &x, "", 0.001}), "a number, 0.001 or more");
  EXPECT_EQ(OptionRange({.name = "n", .target = &n, .help = "", .most = 5}), "a whole number, 5 or less");
  EXPECT_EQ(OptionRange({"n", &n, "", 1, 1000000}), "a whole number from 1 to 1000000");
}

TEST(ReadToml, SetsWhatItNamesAndLeavesTheRest) {
  Values v;
  ReadToml("# a recipe\nflip = true\nbatch-size = 64\nrate = 1\nmodel = 'dense \"x\"'\n", "test", v.Options());
  EXPECT_TRUE(v.flag);
  EXPECT_EQ(v.whole, 64);
  EXPECT_EQ(v.number, 1.0);
  EXPECT_EQ(v.word, "adam");
  EXPECT_EQ(v.text, "dense \"x\"");
}

TEST(ReadToml, UnknownKeysSuggest) {
  Values v;
  const std::string message = Refusal([&] { ReadToml("batch_size = 64", "my.toml", v.Options()); });
  EXPECT_NE(message.find("my.toml: no option is called 'batch_size' (did you mean 'batch-size'?)"), std::string::npos)
      << message;
}

TEST(ReadToml, NamesTheRecipeInEveryError) {
  Values v;
  for (const char* text : {"batch-size = \"64\"", "batch-size = 64.0", "batch-size = 0", "flip = 1", "rate = 2",
                           "rate = nan", "optimizer = \"adm\"", "model = 5", "model = [1]", "[model]\na = 1",
                           "rate = 2020-01-01", "batch-size = ", "batch-size = 64\nbatch-size = 65"}) {
    const std::string message = Refusal([&] { ReadToml(text, "my.toml", v.Options()); });
    EXPECT_TRUE(message.starts_with("my.toml")) << message;
    EXPECT_EQ(message.find("--"), std::string::npos) << "keys have no dashes: " << message;
  }
  EXPECT_EQ(Refusal([&] { ReadToml("batch-size = 0", "my.toml", v.Options()); }),
            "my.toml: batch-size 0: expected a whole number from 1 to 1000");
  EXPECT_TRUE(Refusal([&] { ReadToml("\n\nflip = ", "my.toml", v.Options()); }).starts_with("my.toml, line 3: "));
}

TEST(WriteToml, ComesBackExactly) {
  for (const double number : {0.1, 1e-7, 1.0 / 3, 0.0, 1.0, 5e-324, 0.30000000000000004}) {
    Values written, read;
    written.flag = true;
    written.whole = 999;
    written.number = number;
    written.word = "sgd";
    written.text = "\"quoted\" \\back\\ 'single' # no comment, ü\n\tnew line \x01\x7f";
    ReadToml(WriteToml(written.Options(), number > 0.2), "test", read.Options());
    EXPECT_EQ(read.number, number);
    EXPECT_EQ(read.flag, true);
    EXPECT_EQ(read.whole, 999);
    EXPECT_EQ(read.word, "sgd");
    EXPECT_EQ(read.text, written.text);
  }
}

TEST(WriteToml, IsGroupedAndExplainedForAReader) {
  Values v;
  EXPECT_EQ(WriteToml(v.Options(), true),
            "# First\n# mirror\nflip = false\n# images a step\nbatch-size = 10\n\n# Second\n# the rate\nrate = 0.5\n"
            "# the optimizer\noptimizer = \"adam\"\n# the model\nmodel = \"any\"\n");
}

TEST(OptionText, IsAsOneWouldTypeIt) {
  Values v;
  v.number = 1e-7;
  const auto options = v.Options();
  EXPECT_EQ(OptionText(options[0]), "false");
  EXPECT_EQ(OptionText(options[1]), "10");
  EXPECT_EQ(OptionText(options[2]), "1e-07");
  EXPECT_EQ(OptionText(options[3]), "adam");
  EXPECT_EQ(OptionValue(options[2]), Json(1e-7));
}

}  // namespace
}  // namespace spotter
