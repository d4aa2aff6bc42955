// SPDX-License-Identifier: Apache-2.0
// Checksums and framing against published answers.
#include "tensorboard/record.h"

#include "support/test_support.h"
#include "tensorboard/event.h"

namespace spotter {
namespace {

// RFC 3720, B.4 "CRC Examples" (there the bytes of the sums are in the order of transmission).
TEST(Crc32c, IsThatOfRfc3720) {
  std::string rising, falling;
  for (char i = 0; i < 32; ++i) {
    rising += i;
    falling += static_cast<char>(31 - i);
  }
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(Crc32c(rising), 0x46dd794eu);
  EXPECT_EQ(Crc32c(falling), 0x113fdb5cu);
}

// Files of TensorFlow begin with these bytes: the length of their first event, 24, and its masked checksum.
TEST(TfRecord, FramesTheFirstEventAsTensorFlowDoes) {
  const std::string event = VersionEvent(1.5e9);
  const std::string record = TfRecord(event);
  EXPECT_EQ(record.substr(0, 12), std::string("\x18\0\0\0\0\0\0\0\xa3\x7f\x4b\x22", 12));
  EXPECT_EQ(record.substr(12, 24), event);
  EXPECT_EQ(record.size(), 12u + 24 + 4);
  EXPECT_EQ(event.substr(9),
            "\x1a\x0d"
            "brain.Event:2");
}

// What tensorboard.summary.writer.record_writer.RecordWriter writes for b"spotter".
TEST(TfRecord, IsWhatTensorBoardWrites) {
  EXPECT_EQ(TfRecord("spotter"), std::string("\x07\x00\x00\x00\x00\x00\x00\x00\xbb\xd7\x9f\x11"
                                             "spotter"
                                             "\x06\x5d\x94\x51",
                                             23));
}

}  // namespace
}  // namespace spotter
