// SPDX-License-Identifier: Apache-2.0
// JPEG to pixels by libjpeg-turbo's libjpeg interface, with its default (exact) settings, as Pillow uses
// them.
//
// The libjpeg interface rather than TurboJPEG's: it tells every warning apart, so that harmless ones (stray
// bytes between segments) don't cost an image while missing data does. libjpeg leaves by longjmp: the
// functions that it may leave hold nothing that needs a destructor.
#include <csetjmp>
#include <cstddef>
#include <cstdio>
#include <utility>
#include <vector>

// These need the standard headers above them, and the second needs the first.
#include <jerror.h>
#include <jpeglib.h>

#include "base/error.h"
#include "data/codecs.h"

namespace spotter {
namespace {

/// A progressive file may repeat passes over all its pixels without end. Usual files have about ten scans.
constexpr int kMaxScans = 500;
constexpr int64_t kMaxScannedPixels = 2'000'000'000;
/// A progressive file is held as coefficients of 2 bytes: kMaxImagePixels in four colours need 400 MB.
constexpr long kMaxMemory = 500'000'000;

struct Decoder {
  jpeg_decompress_struct info{};
  jpeg_error_mgr errors{};
  jpeg_progress_mgr progress{};
  std::jmp_buf leave;
  char message[JMSG_LENGTH_MAX] = "";

  Decoder();
  ~Decoder() { jpeg_destroy_decompress(&info); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
};

[[noreturn]] void LeaveWithMessage(j_common_ptr info) {
  auto* decoder = static_cast<Decoder*>(info->client_data);
  info->err->format_message(info, decoder->message);
  std::longjmp(decoder->leave, 1);
}

/// A level below 0 is a warning: the decoder would go on with made-up pixels.
void OnMessage(j_common_ptr info, int level) {
  if (level >= 0) return;
  const int code = info->err->msg_code;
  if (code == JWRN_EXTRANEOUS_DATA || code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR) return;
  LeaveWithMessage(info);
}

void OnProgress(j_common_ptr info) {
  auto* decoder = static_cast<Decoder*>(info->client_data);
  const int scans = decoder->info.input_scan_number;
  const int64_t pixels = int64_t{decoder->info.image_width} * decoder->info.image_height;
  if (scans <= kMaxScans && scans * pixels <= kMaxScannedPixels) return;
  std::snprintf(decoder->message, sizeof decoder->message, "too many scans");
  std::longjmp(decoder->leave, 1);
}

Decoder::Decoder() {
  info.err = jpeg_std_error(&errors);
  errors.error_exit = LeaveWithMessage;
  errors.emit_message = OnMessage;
  errors.output_message = [](j_common_ptr) {};
  info.client_data = this;
  if (setjmp(leave) != 0) Fail(ExitCode::kInternal, "libjpeg can't be used: {}", message);
  jpeg_create_decompress(&info);
  info.mem->max_memory_to_use = kMaxMemory;
  progress.progress_monitor = OnProgress;
  info.progress = &progress;
}

/// Reads the header and says what the pixels shall be. False: see message.
bool Start(Decoder* decoder, const uint8_t* bytes, size_t size) {
  jpeg_decompress_struct& info = decoder->info;
  if (setjmp(decoder->leave) != 0) return false;
  jpeg_mem_src(&info, bytes, size);
  jpeg_read_header(&info, TRUE);
  const J_COLOR_SPACE stored = info.jpeg_color_space;
  info.out_color_space = stored == JCS_GRAYSCALE                    ? JCS_GRAYSCALE
                         : stored == JCS_CMYK || stored == JCS_YCCK ? JCS_CMYK
                                                                    : JCS_RGB;
  return true;
}

/// As Pillow: Adobe's programs store CMYK inverted, so 255 is no ink, and the others follow them.
void CmykRowToRgb(const uint8_t* cmyk, int width, uint8_t* rgb) {
  for (int x = 0; x < width; ++x, cmyk += 4, rgb += 3) {
    const int light = cmyk[3];
    for (int c = 0; c < 3; ++c) {
      const int product = (255 - cmyk[c]) * light + 128;
      rgb[c] = static_cast<uint8_t>(light - ((product + (product >> 8)) >> 8));
    }
  }
}

/// Decodes all rows into `pixels`; `cmyk_row` is room for one row of CMYK. False: see message.
bool ReadRows(Decoder* decoder, uint8_t* pixels, size_t row_bytes, uint8_t* cmyk_row) {
  jpeg_decompress_struct& info = decoder->info;
  if (setjmp(decoder->leave) != 0) return false;
  jpeg_start_decompress(&info);
  while (info.output_scanline < info.output_height) {
    uint8_t* row = pixels + info.output_scanline * row_bytes;
    uint8_t* target = info.out_color_space == JCS_CMYK ? cmyk_row : row;
    if (jpeg_read_scanlines(&info, &target, 1) == 1 && target == cmyk_row) {
      CmykRowToRgb(cmyk_row, static_cast<int>(info.output_width), row);
    }
  }
  jpeg_finish_decompress(&info);
  return true;
}

}  // namespace

Image DecodeJpeg(std::string_view bytes) {
  static thread_local Decoder decoder;  // making one takes longer than decoding a 32 x 32 image
  struct Reset {
    ~Reset() { jpeg_abort_decompress(&decoder.info); }
  } reset;
  const JpegHeader header = ParseJpegHeader(bytes);
  if (!Start(&decoder, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size())) {
    Fail(ExitCode::kData, "damaged: {}", decoder.message);
  }
  if (static_cast<int>(decoder.info.image_width) != header.width ||
      static_cast<int>(decoder.info.image_height) != header.height) {
    Fail(ExitCode::kData, "damaged: the JPEG tells two sizes");  // the limits were checked for the first
  }
  Image image;
  image.shape = {header.height, header.width, decoder.info.out_color_space == JCS_GRAYSCALE ? 1 : 3};
  image.pixels.resize(image.shape.size());
  std::vector<uint8_t> cmyk_row(decoder.info.out_color_space == JCS_CMYK ? size_t{4} * header.width : 0);
  const size_t row_bytes = static_cast<size_t>(image.shape.width) * image.shape.channels;
  if (!ReadRows(&decoder, image.pixels.data(), row_bytes, cmyk_row.data())) {
    Fail(ExitCode::kData, "damaged: {}", decoder.message);
  }
  return ApplyOrientation(std::move(image), header.orientation);
}

}  // namespace spotter
