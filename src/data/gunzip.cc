// SPDX-License-Identifier: Apache-2.0
// zlib's inflate with its gzip header and checksum.
#include "data/gunzip.h"

#include <zlib.h>

#include <limits>

#include "base/error.h"
#include "base/text.h"

namespace spotter {

std::string Gunzip(std::string_view packed, size_t most) {
  constexpr int kGzipOnly = 16;  // added to the window's size
  z_stream stream{};
  if (inflateInit2(&stream, MAX_WBITS + kGzipOnly) != Z_OK) Fail(ExitCode::kInternal, "zlib can't be used");
  struct End {
    z_stream* stream;
    ~End() { inflateEnd(stream); }
  } end{&stream};
  if (packed.size() > std::numeric_limits<uInt>::max()) Fail(ExitCode::kData, "too large to unpack");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string bytes;
  for (;;) {
    constexpr size_t kStep = 4 << 20;
    const size_t have = bytes.size();
    bytes.resize(have + kStep);
    stream.next_out = reinterpret_cast<Bytef*>(bytes.data() + have);
    stream.avail_out = kStep;
    const int result = inflate(&stream, Z_NO_FLUSH);
    bytes.resize(have + kStep - stream.avail_out);
    if (bytes.size() > most) {
      Fail(ExitCode::kData, "it unpacks to more than {}, the most that is read", HumanBytes(static_cast<double>(most)));
    }
    if (result == Z_STREAM_END) return bytes;
    if (result == Z_BUF_ERROR || (result == Z_OK && stream.avail_in == 0 && stream.avail_out > 0)) {
      Fail(ExitCode::kData, "its gzip data ends too early");
    }
    if (result != Z_OK)
      Fail(ExitCode::kData, "its gzip data is damaged ({})", stream.msg != nullptr ? stream.msg : "no reason");
  }
}

}  // namespace spotter
