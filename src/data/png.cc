// SPDX-License-Identifier: Apache-2.0
// PNG to pixels by libpng's low-level interface, with limits, and without the chunks that we have no use for.
//
// libpng leaves by longjmp: the functions that it may leave hold nothing that needs a destructor.
#include <png.h>

#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <utility>
#include <vector>

#include "base/error.h"
#include "data/codecs.h"

namespace spotter {
namespace {

constexpr size_t kFirstChunk = 8;    // after the signature: IHDR
constexpr size_t kHeaderBytes = 33;  // signature and IHDR
constexpr png_alloc_size_t kMaxChunkBytes = 8 << 20;

uint32_t BigEndian(std::string_view bytes, size_t at) {
  return png_get_uint_32(reinterpret_cast<const uint8_t*>(bytes.data()) + at);
}

/// What the chunks before the pixels say, beyond what libpng is asked for.
struct Extras {
  bool animated = false;  // APNG
  int orientation = 1;
};
Extras ReadExtras(std::string_view bytes) {
  Extras extras;
  for (size_t at = kFirstChunk; at + 12 <= bytes.size();) {
    const std::string_view kind = bytes.substr(at + 4, 4);
    const size_t length = BigEndian(bytes, at);
    if (kind == "IDAT") break;
    extras.animated |= kind == "acTL";
    if (kind == "eXIf") extras.orientation = ExifOrientation(bytes.substr(at + 8, length));
    at += size_t{12} + length;
  }
  return extras;
}

struct Decoder {
  std::string_view rest;  // what libpng has not read yet
  char message[128] = "";
  png_structp png = nullptr;
  png_infop info = nullptr;
  int height = 0;
  int width = 0;
  int channels = 0;  // with alpha

  ~Decoder() { png_destroy_read_struct(&png, &info, nullptr); }
};

[[noreturn]] void OnError(png_structp png, png_const_charp message) {
  auto* decoder = static_cast<Decoder*>(png_get_error_ptr(png));
  std::snprintf(decoder->message, sizeof decoder->message, "%s", message);
  png_longjmp(png, 1);
}

void OnRead(png_structp png, png_bytep target, size_t n) {
  auto* decoder = static_cast<Decoder*>(png_get_io_ptr(png));
  if (decoder->rest.size() < n) png_error(png, "the PNG ends too early");
  std::memcpy(target, decoder->rest.data(), n);
  decoder->rest.remove_prefix(n);
}

/// Reads the header and asks for 8 bits a channel, no palette, transparency as alpha. False: see message.
bool Start(Decoder* decoder) {
  png_structp png = decoder->png;
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  png_set_read_fn(png, decoder, OnRead);
  png_set_user_limits(png, kMaxImageSide, kMaxImageSide);
  png_set_chunk_malloc_max(png, kMaxChunkBytes);
  png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
  // Negative: all but the header, the palette, its transparency, the pixels and the end. No text, no colour
  // profile.
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
  png_read_info(png, decoder->info);
  png_set_expand(png);
  png_set_strip_16(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, decoder->info);
  decoder->width = static_cast<int>(png_get_image_width(png, decoder->info));
  decoder->height = static_cast<int>(png_get_image_height(png, decoder->info));
  decoder->channels = png_get_channels(png, decoder->info);
  return true;
}

bool ReadRows(Decoder* decoder, uint8_t** rows) {
  if (setjmp(png_jmpbuf(decoder->png)) != 0) return false;
  png_read_image(decoder->png, rows);
  png_read_end(decoder->png, nullptr);
  return true;
}

/// Lays pixels with alpha over white, in place: (.., colours + 1) to (.., colours).
void DropAlpha(std::vector<uint8_t>* pixels, int colours) {
  const uint8_t* in = pixels->data();
  uint8_t* out = pixels->data();
  const size_t count = pixels->size() / (colours + 1);
  for (size_t i = 0; i < count; ++i, in += colours + 1) {
    const uint8_t alpha = in[colours];
    for (int c = 0; c < colours; ++c) *out++ = OverWhite(in[c], alpha);
  }
  pixels->resize(count * colours);
}

}  // namespace

bool IsPng(std::string_view bytes) { return bytes.starts_with("\x89PNG\r\n\x1A\n"); }

ImageShape ReadPngHeader(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes || bytes.substr(kFirstChunk + 4, 4) != "IHDR") {
    Fail(ExitCode::kData, "damaged: the PNG ends before its size is told");
  }
  // Sides above 2^31 - 1 are not allowed; they must not become negative here.
  const auto side = [&](size_t at) { return static_cast<int>(BigEndian(bytes, at) & 0x7fffffff); };
  const int colour_type = bytes[25];
  const bool grey = (colour_type & (PNG_COLOR_MASK_COLOR | PNG_COLOR_MASK_PALETTE)) == 0;
  const Extras extras = ReadExtras(bytes);
  if (extras.animated) Fail(ExitCode::kData, "an animation; expected a single picture");
  const ImageShape shape{side(20), side(16), grey ? 1 : 3};
  return extras.orientation >= 5 ? ImageShape{shape.width, shape.height, shape.channels} : shape;
}

Image DecodePng(std::string_view bytes) {
  Decoder decoder;
  decoder.rest = bytes;
  decoder.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &decoder, OnError, [](png_structp, png_const_charp) {});
  if (decoder.png != nullptr) decoder.info = png_create_info_struct(decoder.png);
  if (decoder.info == nullptr) Fail(ExitCode::kInternal, "libpng can't be used: no memory");
  if (!Start(&decoder)) Fail(ExitCode::kData, "damaged: {}", decoder.message);

  Image image;
  const bool has_alpha = decoder.channels % 2 == 0;
  image.shape = {decoder.height, decoder.width, decoder.channels - (has_alpha ? 1 : 0)};
  const size_t row_bytes = static_cast<size_t>(decoder.width) * decoder.channels;
  image.pixels.resize(row_bytes * decoder.height);
  std::vector<uint8_t*> rows(decoder.height);
  for (int y = 0; y < decoder.height; ++y) rows[y] = image.pixels.data() + y * row_bytes;
  if (!ReadRows(&decoder, rows.data())) Fail(ExitCode::kData, "damaged: {}", decoder.message);
  if (has_alpha) DropAlpha(&image.pixels, image.shape.channels);
  return ApplyOrientation(std::move(image), ReadExtras(bytes).orientation);
}

}  // namespace spotter
