// SPDX-License-Identifier: Apache-2.0
// TFRecord, the framing of TensorBoard's files: so that a reader notices a record that is damaged or half written.
//
// After tensorflow/core/lib/io/record_writer.h and tensorboard/summary/writer/record_writer.py.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace spotter {

/// CRC-32C (Castagnoli), as in RFC 3720.
uint32_t Crc32c(std::string_view bytes);

/// The checksum as TFRecord stores it: rotated right by 15 bits, plus 0xa282ead8 modulo 2^32.
uint32_t MaskedCrc32c(std::string_view bytes);

/// The length of `data` (8 bytes), their masked checksum (4), `data`, its masked checksum (4); little-endian.
std::string TfRecord(std::string_view data);

}  // namespace spotter
