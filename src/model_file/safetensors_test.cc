// SPDX-License-Identifier: Apache-2.0
#include "model_file/safetensors.h"

#include <cstring>

#include "base/error.h"
#include "base/json.h"
#include "support/test_support.h"

namespace spotter {
namespace {

/// A file from its parts, laid out by hand: 8 bytes of length, the header, the data.
std::string FileBytes(const std::string& header, const std::string& data) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>((uint64_t{header.size()} >> (8 * i)) & 0xff);
  return bytes + header + data;
}

template <typename T>
std::string Bytes(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

class Safetensors : public testing::Test {
 protected:
  SafetensorsFile Read(const std::string& bytes) {
    WriteText(path(), bytes);
    return ReadSafetensors(path());
  }
  /// The message of the kModel error that reading these bytes must give; it must name the file.
  std::string Refusal(const std::string& bytes) {
    try {
      Read(bytes);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kModel) << error.what();
      EXPECT_NE(std::string(error.what()).find(path().string()), std::string::npos) << error.what();
      return error.what();
    }
    ADD_FAILURE() << "it was read";
    return "";
  }
  void ExpectRefused(const std::string& header, const std::string& data, const std::string& reason) {
    EXPECT_NE(Refusal(FileBytes(header, data)).find(reason), std::string::npos) << Refusal(FileBytes(header, data));
  }
  std::filesystem::path path() const { return folder_.path() / "file.safetensors"; }

  TemporaryFolder folder_;
  const std::string four_ = std::string(4, 'x');
  const std::string eight_ = std::string(8, 'x');
};

// The example of the format's own description: 'a' is two fp32 numbers, written out byte by byte.
TEST_F(Safetensors, ReadsAFileMadeByHand) {
  const std::string header =
      R"({"__metadata__":{"k":"v"},"b":{"dtype":"U8","shape":[],"data_offsets":[8,9]},"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}} )";
  const std::string one_and_minus_two("\x00\x00\x80\x3f\x00\x00\x00\xc0", 8);
  const SafetensorsFile file = Read(FileBytes(header, one_and_minus_two + "\x07"));
  EXPECT_EQ(file.metadata, (std::map<std::string, std::string>{{"k", "v"}}));
  ASSERT_EQ(file.tensors.size(), 2u);
  EXPECT_EQ(file.tensors[0].name, "a");  // by offset, not by place in the header
  EXPECT_EQ(file.tensors[0].dtype, "F32");
  EXPECT_EQ(file.tensors[0].shape, (std::vector<int64_t>{1, 2}));
  float values[2];
  std::memcpy(values, file.tensors[0].bytes.data(), 8);
  EXPECT_EQ(values[0], 1.0f);
  EXPECT_EQ(values[1], -2.0f);
  ASSERT_NE(file.Find("b"), nullptr);
  EXPECT_EQ(file.Find("b")->bytes, "\x07");
  EXPECT_TRUE(file.Find("b")->shape.empty());
  EXPECT_EQ(file.Find("c"), nullptr);
}

// Written by make_safetensors_fixture.py, with the safetensors package.
TEST_F(Safetensors, ReadsWhatPythonWrites) {
  const SafetensorsFile file = ReadSafetensors(Fixture("from_python.safetensors"));
  EXPECT_EQ(file.metadata, (std::map<std::string, std::string>{{"format", "pt"}, {"note", "quotes \" and \\ and ü"}}));
  const auto expect = [&](const char* name, const char* dtype, const std::vector<int64_t>& shape,
                          const std::string& bytes) {
    const TensorRecord* tensor = file.Find(name);
    ASSERT_NE(tensor, nullptr) << name;
    EXPECT_EQ(tensor->dtype, dtype) << name;
    EXPECT_EQ(tensor->shape, shape) << name;
    EXPECT_EQ(tensor->bytes, bytes) << name;
  };
  EXPECT_EQ(file.tensors.size(), 7u);
  expect("float", "F32", {2, 3}, Bytes<float>({0.5f, 1.5f, 2.5f, 3.5f, 4.5f, 5.5f}));
  expect("half", "BF16", {3}, Bytes<uint16_t>({0x3f80, 0xc000, 0x3f00}));
  expect("long", "I64", {2}, Bytes<int64_t>({-1, int64_t{1} << 40}));
  expect("scalar", "F32", {}, Bytes<float>({-0.25f}));
  expect("empty", "F32", {0, 4}, "");
  expect("bytes", "U8", {5}, std::string("\0\1\2\3\4", 5));
  expect("name with a space and ü", "F64", {1}, Bytes<double>({0.1}));
}

TEST_F(Safetensors, ReadsBackWhatItWrites) {
  const std::string floats = Bytes<float>({1, 2, 3, 4, 5, 6}), longs = Bytes<int64_t>({7, -8}), byte = "z";
  const std::map<std::string, std::string> metadata = {{"quoted", "a \"b\" \\ \n ü"}, {"empty", ""}};
  WriteSafetensors(
      path(),
      {{"z", "U8", {1}, byte}, {"y", "F32", {3, 2}, floats}, {"a", "F32", {2, 0}, ""}, {"x", "I64", {2}, longs}},
      metadata);
  const SafetensorsFile file = ReadSafetensors(path());
  EXPECT_EQ(file.metadata, metadata);
  ASSERT_EQ(file.tensors.size(), 4u);
  EXPECT_EQ(file.Find("x")->bytes, longs);
  EXPECT_EQ(file.Find("y")->bytes, floats);
  EXPECT_EQ(file.Find("y")->shape, (std::vector<int64_t>{3, 2}));
  EXPECT_EQ(file.Find("z")->bytes, byte);
  EXPECT_EQ(file.Find("a")->shape, (std::vector<int64_t>{2, 0}));
  // Larger dtypes first, so that every tensor is aligned for its type in a file that is mapped into memory.
  EXPECT_EQ(file.tensors.front().name, "x");
  EXPECT_EQ(file.tensors.back().name, "z");
  uint64_t length = 0;
  std::memcpy(&length, file.content.data(), 8);
  EXPECT_EQ(length % 8, 0u);
}

TEST_F(Safetensors, ReadsAFileOfNothing) {
  WriteSafetensors(path(), {}, {});
  EXPECT_TRUE(ReadSafetensors(path()).tensors.empty());
  EXPECT_TRUE(Read(FileBytes("{}", "")).metadata.empty());
}

TEST_F(Safetensors, AnAbsentFileIsAnIoError) {
  try {
    ReadSafetensors(folder_.path() / "absent");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kIo);
  }
}

TEST_F(Safetensors, RefusesEveryPrefixOfAFile) {
  const std::string whole = FileBytes(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", eight_);
  EXPECT_EQ(Read(whole).tensors.size(), 1u);
  for (size_t length = 0; length < whole.size(); ++length) {
    SCOPED_TRACE(length);
    Refusal(whole.substr(0, length));
  }
}

TEST_F(Safetensors, RefusesHeaderLengthsThatLie) {
  const std::string whole = FileBytes(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", eight_);
  for (const uint64_t length :
       {uint64_t{0}, uint64_t{1}, uint64_t{whole.size() - 7}, uint64_t{16} << 20, (uint64_t{16} << 20) + 1,
        uint64_t{1} << 31, uint64_t{1} << 63, ~uint64_t{0}, ~uint64_t{0} - 7}) {
    SCOPED_TRACE(length);
    std::string lying = whole;
    std::memcpy(lying.data(), &length, 8);
    Refusal(lying);
  }
}

TEST_F(Safetensors, RefusesBytesBehindItsEnd) {
  ExpectRefused(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", four_ + "!", "its tensors end at 4");
  ExpectRefused("{}", "!", "its tensors end at 0");
}

TEST_F(Safetensors, RefusesOffsetsThatOverlap) {
  ExpectRefused(
      R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
      std::string(12, 'x'), "'b' begins at 4, where 8 was expected");
  ExpectRefused(
      R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
      four_, "begins at 0, where 4 was expected");
}

TEST_F(Safetensors, RefusesAHoleBetweenTensors) {
  ExpectRefused(
      R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[3],"data_offsets":[5,8]}})",
      eight_, "'b' begins at 5, where 4 was expected");
  ExpectRefused(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})", eight_,
                "'a' begins at 4, where 0 was expected");
}

TEST_F(Safetensors, RefusesOffsetsOutOfTheFile) {
  ExpectRefused(R"({"a":{"dtype":"U8","shape":[9],"data_offsets":[0,9]}})", eight_, "cut short");
  ExpectRefused(R"({"a":{"dtype":"U8","shape":[4611686018427387904],"data_offsets":[0,4611686018427387904]}})", eight_,
                "cut short");
}

TEST_F(Safetensors, RefusesShapesThatAreNotTheOffsets) {
  ExpectRefused(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}})", eight_,
                "of 4 bytes by its shape has offsets 0 to 8");
  ExpectRefused(R"({"a":{"dtype":"F64","shape":[2],"data_offsets":[0,8]}})", eight_, "of 16 bytes");
  ExpectRefused(R"({"a":{"dtype":"U8","shape":[8],"data_offsets":[8,0]}})", eight_, "offsets 8 to 0");
}

TEST_F(Safetensors, RefusesShapesThatOverflow) {
  for (const char* shape :
       {"[4611686018427387904,4]", "[3037000500,3037000500,2]", "[4294967296,4294967296]", "[4611686018427387904]"}) {
    ExpectRefused(std::string(R"({"a":{"dtype":"F32","shape":)") + shape + R"(,"data_offsets":[0,8]}})", eight_,
                  "too large to exist");
  }
}

TEST_F(Safetensors, RefusesNumbersThatAreNoSizes) {
  for (const char* side :
       {"-1", "1.0", "1e0", "\"1\"", "null", "true", "9223372036854775808", "18446744073709551616"}) {
    ExpectRefused(std::string(R"({"a":{"dtype":"U8","shape":[)") + side + R"(],"data_offsets":[0,1]}})", "x",
                  "not a whole number");
    ExpectRefused(std::string(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,)") + side + "]}}", "x",
                  "not a whole number");
  }
}

TEST_F(Safetensors, RefusesKeysThatComeTwice) {
  const std::string a = R"("a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]})";
  ExpectRefused("{" + a + "," + a + "}", four_, "'a' twice");
  ExpectRefused(R"({"__metadata__":{"k":"1","k":"2"}})", "", "'k' twice");
  ExpectRefused(R"({"a":{"dtype":"F32","dtype":"U8","shape":[4],"data_offsets":[0,4]}})", four_, "'dtype' twice");
}

TEST_F(Safetensors, RefusesDtypesItDoesNotKnow) {
  for (const char* dtype : {"F8_E4M3", "f32", "", "F32 ", "C64"}) {
    ExpectRefused(std::string(R"({"a":{"dtype":")") + dtype + R"(","shape":[4],"data_offsets":[0,4]}})", four_,
                  "dtype");
  }
}

TEST_F(Safetensors, RefusesEntriesOfAnotherForm) {
  const std::string good = R"({"dtype":"U8","shape":[4],"data_offsets":[0,4]})";
  EXPECT_EQ(Read(FileBytes("{\"a\":" + good + "}", four_)).tensors.size(), 1u);
  for (const char* bad :
       {"1", "null", "[]", "{}", R"({"dtype":"U8","shape":[4]})", R"({"dtype":8,"shape":[4],"data_offsets":[0,4]})",
        R"({"dtype":"U8","shape":4,"data_offsets":[0,4]})", R"({"dtype":"U8","shape":[4],"data_offsets":[0]})",
        R"({"dtype":"U8","shape":[4],"data_offsets":[0,4,4]})",
        R"({"dtype":"U8","shape":[4],"data_offsets":[0,4],"more":1})",
        R"({"dtype":"U8","shape":[1,1,1,1,1,1,1,1,4],"data_offsets":[0,4]})"}) {
    ExpectRefused(std::string("{\"a\":") + bad + "}", four_, "'a' is not described by");
  }
  ExpectRefused("{\"\":" + good + "}", four_, "name is empty");
  ExpectRefused("{\"" + std::string(513, 'n') + "\":" + good + "}", four_, "too long");
  ExpectRefused("{\"a\\u001b[31m\":" + good + "}", four_, "control characters");
}

TEST_F(Safetensors, RefusesWhatIsNotJson) {
  for (const char* header :
       {"{", "{]", "{\"a\":}", "{} {}", "{}x", "{'a':1}", "{\"\xff\":1}", "{//\n}", "{\"a\":NaN}"}) {
    SCOPED_TRACE(header);
    Refusal(FileBytes(header, ""));
  }
  for (const char* header : {"[]", "1", "\"a\"", "null", " {}", "\xef\xbb\xbf{}", ""})
    ExpectRefused(header, "", "does not begin with '{'");
}

TEST_F(Safetensors, RefusesDeepNestingWithoutRunningOutOfStackOrMemory) {
  for (const char* bracket : {"[", "{\"a\":"}) {
    std::string header = "{\"a\":";
    while (header.size() < 15 << 20) header += bracket;
    ExpectRefused(header, "", "nested");
  }
}

TEST_F(Safetensors, RefusesMetadataOfAnotherForm) {
  ExpectRefused(R"({"__metadata__":{"k":1}})", "", "'k' is not a string");
  ExpectRefused(R"({"__metadata__":{"k":null}})", "", "'k' is not a string");
  ExpectRefused(R"({"__metadata__":"text"})", "", "not an object");
  ExpectRefused(R"({"__metadata__":[]})", "", "not an object");
}

TEST_F(Safetensors, RefusesMoreTensorsThanItsLimit) {
  std::string header = "{";
  for (int i = 0; i <= 65536; ++i) {
    header += (i > 0 ? ",\"" : "\"") + std::to_string(i) + R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  }
  ExpectRefused(header + "}", "", "more than 65536");
}

TEST_F(Safetensors, MessagesCarryNoControlCharactersOfTheFile) {
  const std::string message =
      Refusal(FileBytes(R"({"a":{"dtype":"\u001b[31m\n","shape":[4],"data_offsets":[0,4]}})", four_));
  EXPECT_EQ(message.find('\x1b'), std::string::npos);
  EXPECT_EQ(message.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace spotter
