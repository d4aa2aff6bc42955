// SPDX-License-Identifier: Apache-2.0
// The pickle reader takes plain data and refuses everything else, without executing, crashing or taking much
// memory.
#include "data/pickle.h"

#include "data/test_files.h"

namespace spotter {
namespace {

using std::string_literals::operator""s;

std::string ReadError(const std::string& bytes) {
  return ErrorOf(ExitCode::kData, [&] { Pickle pickle(bytes); });
}

TEST(Pickle, ReadsPlainData) {
  // {'labels': [3, 300, -1], 'names': ('a', None, True)}, the list by way of the memo
  const std::string bytes =
      "\x80\x02}q\x00(U\x06labels]q\x01(K\x03M\x2c\x01J\xff\xff\xff\xff"
      "eU\x05names(U\x01"
      "aN\x88tu."s;
  const Pickle pickle(bytes);
  const PickleValue* labels = pickle.Find(pickle.root(), "labels");
  ASSERT_NE(labels, nullptr);
  ASSERT_EQ(labels->items.size(), 3u);
  EXPECT_EQ(pickle.value(labels->items[1]).integer, 300);
  EXPECT_EQ(pickle.value(labels->items[2]).integer, -1);
  const PickleValue* names = pickle.Find(pickle.root(), "names");
  ASSERT_NE(names, nullptr);
  EXPECT_EQ(pickle.value(names->items[0]).text, "a");
  EXPECT_EQ(pickle.value(names->items[1]).kind, PickleValue::Kind::kNone);
  EXPECT_EQ(pickle.Find(pickle.root(), "other"), nullptr);
}

TEST(Pickle, RefusesToCallAnything) {
  EXPECT_CONTAINS(ReadError("\x80\x02"
                            "cos\nsystem\n(U\x04trueR."s),
                  "'os.system'");
  EXPECT_CONTAINS(ReadError("\x80\x02"
                            "cos\nsystem\n(U\x04trueR."s),
                  "nothing in it was executed");
  EXPECT_CONTAINS(ReadError("\x80\x02"
                            "cbuiltins\neval\n."s),
                  "'builtins.eval'");
  EXPECT_CONTAINS(ReadError("\x80\x04\x8c\x02os\x8c\x06system\x93."s), "'os.system'");
  EXPECT_CONTAINS(ReadError("\x80\x02"
                            "cnumpy.core.multiarray\n_reconstruct evil\n."s),
                  "nothing in it was executed");
}

TEST(Pickle, RefusesOpcodesThatPlainDataDoesNotNeed) {
  // INST, OBJ, NEWOBJ, EXT1, PERSID, BINPERSID, POP, DUP, NEXT_BUFFER, BINFLOAT and an opcode that is none.
  for (const char opcode : "io\x81\x82PQ02\x97G\xfe"s) {
    EXPECT_CONTAINS(ReadError("\x80\x02N"s + opcode + "aaaaaaaaaaaa."), "opcode") << static_cast<int>(opcode);
  }
}

TEST(Pickle, RefusesOtherProtocols) {
  EXPECT_CONTAINS(ReadError("(dp0\n."), "not a pickle of protocol 2");
  EXPECT_CONTAINS(ReadError("\x80\x05N."s), "protocol 5");
  EXPECT_CONTAINS(ReadError(""), "ends too early");
}

TEST(Pickle, RefusesABatchThatIsCutAnywhere) {
  const std::string bytes =
      "\x80\x02}q\x00(U\x06labels]q\x01(K\x03M\x2c\x01J\xff\xff\xff\xff"
      "eU\x05names(U\x01"
      "aN\x88tu."s;
  for (size_t length = 0; length < bytes.size(); ++length)
    EXPECT_NE(ReadError(bytes.substr(0, length)), "no error") << length;
}

TEST(Pickle, RefusesLengthsBeyondTheEnd) {
  EXPECT_CONTAINS(ReadError("\x80\x02T\xff\xff\xff\x7fxx."s), "ends too early");
  EXPECT_CONTAINS(ReadError("\x80\x02X\xff\xff\xff\xffxx."s), "ends too early");
  EXPECT_CONTAINS(ReadError("\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\xffxx."s), "ends too early");
  EXPECT_CONTAINS(ReadError("\x80\x02\x8a\x09xxxxxxxxx."s), "9 bytes");
}

TEST(Pickle, RefusesMemoEntriesThatWereNeverStored) {
  EXPECT_CONTAINS(ReadError("\x80\x02h\x07."s), "memo 7");
  EXPECT_CONTAINS(ReadError("\x80\x02j\xff\xff\xff\xff."s), "memo 4294967295");
}

TEST(Pickle, RefusesOpcodesThatDoNotFitTogether) {
  // An empty stack, no mark, a value behind the mark, appending to no list, an odd dictionary, a tuple that
  // is too short.
  for (const std::string& body :
       {"."s, "e."s, "(."s, "N(a."s, "NNa."s, "}(Nu."s, "N\x87."s, "]N(s."s, "R."s, "Nb."s, "q\x00."s}) {
    EXPECT_CONTAINS(ReadError("\x80\x02" + body), "don't fit together") << body;
  }
}

TEST(Pickle, TakesNoHarmFromDeepNestingOrLoops) {
  std::string deep = "\x80\x02"s + std::string(100000, ']') + std::string(99999, 'a') + ".";
  EXPECT_EQ(Pickle(deep).root().items.size(), 1u);
  const std::string loop =
      "\x80\x02]q\x00h\x00"
      "a."s;  // a list that holds itself
  const Pickle pickle(loop);
  EXPECT_EQ(&pickle.value(pickle.root().items[0]), &pickle.root());
}

TEST(Pickle, RefusesMoreValuesThanADataSetHas) {
  EXPECT_CONTAINS(ReadError("\x80\x02"s + std::string(5'000'000, 'N') + "."), "more than 4000000 values");
  EXPECT_CONTAINS(ReadError("\x80\x02"s + std::string(5'000'000, '(') + "."), "more than 4000000 values");
}

/// _codecs.encode(text, 'latin1'), which is how Python 3 writes bytes into protocol 2, so many times by the memo.
std::string Encoded(const std::string& text, int times) {
  std::string bytes =
      "\x80\x02("
      "c_codecs\nencode\nq\x00"
      "X"s +
      static_cast<char>(text.size() % 256) + static_cast<char>(text.size() / 256) + "\0\0"s + text + "q\x01"s +
      "X\x06\0\0\0latin1q\x02"s;
  for (int i = 0; i < times; ++i) bytes += "h\x00h\x01h\x02\x86R"s;
  return bytes + "t.";
}

TEST(Pickle, RefusesToMakeManyTexts) {
  const std::string once = Encoded(std::string(10'000, 'x'), 1);
  const Pickle pickle(once);
  EXPECT_EQ(pickle.value(pickle.root().items.back()).text, std::string(10'000, 'x'));
  EXPECT_CONTAINS(ReadError(Encoded(std::string(10'000, 'x'), 2)), "more text than it holds");
  EXPECT_CONTAINS(ReadError(Encoded(std::string(60'000, 'x'), 2'000)), "more text than it holds");
}

TEST(Pickle, KeepsMoreThan256MemoEntries) {
  std::string bytes = "\x80\x02(";
  for (int i = 0; i < 300; ++i) {
    const std::string number{static_cast<char>(i % 256), static_cast<char>(i / 256)};
    bytes += "M" + number + (i < 256 ? "q" + number.substr(0, 1) : "r" + number + "\0\0"s);
  }
  bytes += "j\x2b\x01\0\0h\x02t."s;
  const Pickle pickle(bytes);
  const std::vector<uint32_t>& items = pickle.root().items;
  ASSERT_EQ(items.size(), 302u);
  EXPECT_EQ(pickle.value(items[300]).integer, 299);
  EXPECT_EQ(pickle.value(items[301]).integer, 2);
}

/// An array of `sizes` (a pickled tuple) and `type` over `content`.
std::string ArrayPickle(const std::string& sizes, const std::string& type, const std::string& order,
                        const std::string& content) {
  return "\x80\x02"
         "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01"
         "b\x87R(K\x01"s +
         sizes + "cnumpy\ndtype\nU\x02" + type + "K\x00K\x01\x87R"s + order + "U" + static_cast<char>(content.size()) +
         content + "tb.";
}

TEST(Pickle, ReadsArraysOfBytesAndChecksTheirSizes) {
  const std::string good = ArrayPickle("K\x02K\x03\x86", "u1", "\x89", "abcdef");
  const Pickle pickle(good);
  EXPECT_EQ(pickle.root().kind, PickleValue::Kind::kArray);
  EXPECT_EQ(pickle.root().text, "abcdef");
  EXPECT_EQ(pickle.value(pickle.root().items[1]).integer, 3);
  EXPECT_CONTAINS(ReadError(ArrayPickle("K\x02K\x02\x86", "u1", "\x89", "abcdef")), "sizes don't fit");
  EXPECT_CONTAINS(ReadError(ArrayPickle("K\x02K\x04\x86", "u1", "\x89", "abcdef")), "sizes don't fit");
  EXPECT_CONTAINS(ReadError(ArrayPickle("J\xff\xff\xff\xffK\x04\x86", "u1", "\x89", "abcdef")), "sizes don't fit");
  EXPECT_CONTAINS(ReadError(ArrayPickle("J\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x86", "u1", "\x89", "abcdef")),
                  "sizes don't fit");
  EXPECT_CONTAINS(ReadError(ArrayPickle("K\x02K\x03\x86", "f8", "\x89", "abcdef")), "not of uint8");
  EXPECT_CONTAINS(ReadError(ArrayPickle("K\x02K\x03\x86", "u1", "\x88", "abcdef")), "Fortran");
}

}  // namespace
}  // namespace spotter
