// SPDX-License-Identifier: Apache-2.0
// The safetensors format, read strictly and written atomically. Knows bytes and shapes, nothing of networks.
//
//   file = length header data        length: u64, little-endian, of the header
//   header = JSON object: name -> {"dtype", "shape", "data_offsets": [begin, end]}, "__metadata__": string -> string
//   data: the tensors' bytes, row-major, little-endian; offsets count from the start of data, without gap or overlap
// After the format's own README and reference reader; ours accepts a subset of what that one accepts.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace spotter {

struct TensorRecord {
  std::string name;
  std::string dtype;           // "F32", "F64", "I64", "BF16", "U8" ...
  std::vector<int64_t> shape;  // empty: a scalar
  std::string_view bytes;      // as many as shape and dtype say
};

struct SafetensorsFile {
  std::string content;  // the whole file; the records point into it
  std::map<std::string, std::string> metadata;
  std::vector<TensorRecord> tensors;  // in order of their offsets

  SafetensorsFile() = default;
  SafetensorsFile(SafetensorsFile&&) = default;
  SafetensorsFile& operator=(SafetensorsFile&&) = default;
  SafetensorsFile(const SafetensorsFile&) = delete;

  const TensorRecord* Find(std::string_view name) const;  // nullptr when absent
};

/// Reads and checks a file. Throws Error(kIo) when it can't be read and Error(kModel), naming the path and what is
/// wrong, when it is cut short, has lying lengths, shapes or offsets, duplicate keys, holes, or anything behind its
/// end. Limits: 16 MiB of header, 65,536 tensors, rank 8, names of 512 bytes.
SafetensorsFile ReadSafetensors(const std::filesystem::path& path);

/// Writes by WriteFileAtomically: larger dtypes first, then by name; the header padded to 8 bytes. Throws Error(kIo).
void WriteSafetensors(const std::filesystem::path& path, std::vector<TensorRecord> tensors,
                      const std::map<std::string, std::string>& metadata);

}  // namespace spotter
