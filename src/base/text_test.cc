// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <gtest/gtest.h>

#include <limits>

namespace spotter {
namespace {

using Strings = std::vector<std::string>;
using Views = std::vector<std::string_view>;

TEST(Trim, TakesSpaceFromBothEnds) {
  EXPECT_EQ(Trim(" \t a b \r\n"), "a b");
  EXPECT_EQ(Trim(" \n"), "");
  EXPECT_EQ(Trim(""), "");
}

TEST(Split, KeepsEmptyParts) {
  EXPECT_EQ(Split("a,,b,", ','), (Views{"a", "", "b", ""}));
  EXPECT_EQ(Split("", ','), Views{""});
  EXPECT_EQ(Split("abc", ','), Views{"abc"});
  EXPECT_EQ(Join({"a", "", "b"}, ", "), "a, , b");
  EXPECT_EQ(Join({}, ", "), "");
  EXPECT_EQ(Lowercase("AbZ09-Ü"), "abz09-Ü");
}

TEST(ParseNumber, WantsTheWholeTextToBeAFiniteNumber) {
  EXPECT_EQ(ParseNumber("0.1"), 0.1);
  EXPECT_EQ(ParseNumber("-1e-7"), -1e-7);
  EXPECT_EQ(ParseNumber("5e-324"), 5e-324);
  EXPECT_EQ(ParseNumber(".5"), 0.5);
  for (const char* bad :
       {"", " ", "1 ", " 1", "1x", "1,5", "nan", "inf", "-inf", "infinity", "1e400", "0x10", "--1", "+1", "e5", "1e"}) {
    EXPECT_EQ(ParseNumber(bad), std::nullopt) << bad;
  }
}

TEST(ParseInteger, WantsTheWholeTextToBeOneThatFits) {
  EXPECT_EQ(ParseInteger("-42"), -42);
  EXPECT_EQ(ParseInteger("9223372036854775807"), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(ParseInteger("-9223372036854775808"), std::numeric_limits<int64_t>::min());
  for (const char* bad : {"", "1.0", "1e3", "9223372036854775808", "0x1", "+1", "1 ", "one"})
    EXPECT_EQ(ParseInteger(bad), std::nullopt) << bad;
}

TEST(DidYouMean, OffersTheClosestWhenOneIsClose) {
  const Strings known = {"maxpool", "avgpool", "conv", "elu", "relu"};
  EXPECT_EQ(DidYouMean("maxpol", known), " (did you mean 'maxpool'?)");
  EXPECT_EQ(DidYouMean("cnov", known), " (did you mean 'conv'?)");
  EXPECT_EQ(DidYouMean("rellu", known), " (did you mean 'relu'?)");
  EXPECT_EQ(DidYouMean("max", known), " (did you mean 'maxpool'?)");
  EXPECT_EQ(DidYouMean("relu", known), "") << "it is one of them";
  EXPECT_EQ(DidYouMean("transformer", known), "");
  EXPECT_EQ(DidYouMean("x", known), "");
  EXPECT_EQ(DidYouMean("", known), "");
  EXPECT_EQ(DidYouMean("conv", {}), "");
}

TEST(ShellWord, QuotesWhatAShellWouldTakeApart) {
  EXPECT_EQ(ShellWord("runs/cifar10-seed-003-1"), "runs/cifar10-seed-003-1");
  EXPECT_EQ(ShellWord("my pictures"), "'my pictures'");
  EXPECT_EQ(ShellWord("it's $HOME"), "'it'\\''s $HOME'");
  EXPECT_EQ(ShellWord(""), "''");
}

TEST(WithThousands, PutsCommasBetweenThreeDigits) {
  EXPECT_EQ(WithThousands(0), "0");
  EXPECT_EQ(WithThousands(999), "999");
  EXPECT_EQ(WithThousands(1000), "1,000");
  EXPECT_EQ(WithThousands(1234567), "1,234,567");
  EXPECT_EQ(WithThousands(-999), "-999");
  EXPECT_EQ(WithThousands(-1000), "-1,000");
  EXPECT_EQ(WithThousands(-123456), "-123,456");
  EXPECT_EQ(WithThousands(std::numeric_limits<int64_t>::min()), "-9,223,372,036,854,775,808");
}

TEST(HumanSeconds, ChoosesTheUnit) {
  EXPECT_EQ(HumanSeconds(0), "0 ms");
  EXPECT_EQ(HumanSeconds(0.004), "4 ms");
  EXPECT_EQ(HumanSeconds(0.9996), "1.0 s");
  EXPECT_EQ(HumanSeconds(1.25), "1.2 s");
  EXPECT_EQ(HumanSeconds(59.94), "59.9 s");
  EXPECT_EQ(HumanSeconds(59.97), "1 min 0 s");
  EXPECT_EQ(HumanSeconds(71.2), "1 min 11 s");
  EXPECT_EQ(HumanSeconds(3599.7), "1 h 0 min");
  EXPECT_EQ(HumanSeconds(4000), "1 h 6 min");
  EXPECT_EQ(HumanSeconds(100000), "27 h 46 min");
}

TEST(HumanBytes, ChoosesTheUnit) {
  EXPECT_EQ(HumanBytes(999), "999 bytes");
  EXPECT_EQ(HumanBytes(1000), "1.0 kB");
  EXPECT_EQ(HumanBytes(999'960), "1.0 MB");
  EXPECT_EQ(HumanBytes(19437575), "19.4 MB");
  EXPECT_EQ(HumanBytes(2.5e9), "2.5 GB");
}

// RFC 4180, section 2: rules 6 and 7.
TEST(CsvField, QuotesWhereTheFormatNeedsIt) {
  EXPECT_EQ(CsvField("plain text"), "plain text");
  EXPECT_EQ(CsvField(""), "");
  EXPECT_EQ(CsvField("a,b"), "\"a,b\"");
  EXPECT_EQ(CsvField("say \"hi\""), "\"say \"\"hi\"\"\"");
  EXPECT_EQ(CsvField("two\nlines"), "\"two\nlines\"");
  EXPECT_EQ(CsvField("\r"), "\"\r\"");
}

TEST(Printable, LeavesValidTextAlone) {
  for (const char* text :
       {"", "plain", "Grüße", "日本語", "🎉", "\u00a0", "\u07ff", "\u0800", "\uffff", "\U00010000", "\U0010ffff"}) {
    EXPECT_EQ(Printable(text), text);
  }
}

TEST(Printable, ReplacesControlCharacters) {
  EXPECT_EQ(Printable("a\x1b[31mb\n\t\x7f"), "a?[31mb???");
  EXPECT_EQ(Printable(std::string("\0", 1)), "?");
  EXPECT_EQ(Printable("\u0080a\u009b2J\u009f"), "?a?2J?");  // U+009B is a terminal's ESC [ in one character
}

// Ill-formed sequences of the Unicode standard's table 3-7 and its examples: stray, cut, overlong, surrogates, beyond
// U+10FFFF.
TEST(Printable, ReplacesWhatIsNotUtf8) {
  const std::string r = "\xEF\xBF\xBD";
  EXPECT_EQ(Printable("\xff"), r);
  EXPECT_EQ(Printable("a\x80z"), "a" + r + "z");
  EXPECT_EQ(Printable("\xc3"), r);
  EXPECT_EQ(Printable("\xe2\x82"), r + r);
  EXPECT_EQ(Printable("\xc0\xaf"), r + r);
  EXPECT_EQ(Printable("\xe0\x80\xaf"), r + r + r);
  EXPECT_EQ(Printable("\xf0\x80\x80\xaf"), r + r + r + r);
  EXPECT_EQ(Printable("\xed\xa0\x80"), r + r + r);
  EXPECT_EQ(Printable("\xf4\x90\x80\x80"), r + r + r + r);
  EXPECT_EQ(Printable("\xf8\x88\x80\x80\x80"), r + r + r + r + r);
  EXPECT_EQ(Printable("caf\xe9 \xc3\xbc"), "caf" + r + " ü");
}

}  // namespace
}  // namespace spotter
