// SPDX-License-Identifier: Apache-2.0
#include "tensorboard/record.h"

#include <bit>
#include <boost/crc.hpp>

namespace spotter {
namespace {

template <typename Unsigned>
std::string LittleEndian(Unsigned number) {
  std::string bytes(sizeof number, '\0');
  for (char& byte : bytes) {
    byte = static_cast<char>(number & 0xff);
    number >>= 8;
  }
  return bytes;
}

}  // namespace

uint32_t Crc32c(std::string_view bytes) {
  boost::crc_optimal<32, 0x1edc6f41, 0xffffffff, 0xffffffff, true, true> sum;
  sum.process_bytes(bytes.data(), bytes.size());
  return sum.checksum();
}

uint32_t MaskedCrc32c(std::string_view bytes) { return std::rotr(Crc32c(bytes), 15) + 0xa282ead8u; }

std::string TfRecord(std::string_view data) {
  const std::string length = LittleEndian(uint64_t{data.size()});
  std::string record = length + LittleEndian(MaskedCrc32c(length));
  record += data;
  record += LittleEndian(MaskedCrc32c(data));
  return record;
}

}  // namespace spotter
