// SPDX-License-Identifier: Apache-2.0
// SVG to PNG by librsvg and cairo.
#include <cairo.h>
#include <librsvg/rsvg.h>

#include <cmath>
#include <memory>

#include "base/error.h"
#include "draw/chart.h"

namespace spotter {
namespace {

using Handle = std::unique_ptr<RsvgHandle, decltype([](RsvgHandle* handle) { g_object_unref(handle); })>;
using Surface = std::unique_ptr<cairo_surface_t, decltype([](cairo_surface_t* s) { cairo_surface_destroy(s); })>;
using Context = std::unique_ptr<cairo_t, decltype([](cairo_t* context) { cairo_destroy(context); })>;

[[noreturn]] void FailBy(GError* error) {
  const std::string message = error == nullptr ? "no reason given" : error->message;
  g_clear_error(&error);
  Fail(ExitCode::kIo, "the SVG can't be drawn: {}", message);
}

void Check(cairo_status_t status) {
  if (status != CAIRO_STATUS_SUCCESS) {
    Fail(ExitCode::kIo, "the SVG can't be drawn: {}", cairo_status_to_string(status));
  }
}

struct Size {
  double width = 0;
  double height = 0;
};

/// Of the width and height that the drawing has, else of its viewBox.
Size SizeOf(RsvgHandle* handle) {
  Size size;
  if (rsvg_handle_get_intrinsic_size_in_pixels(handle, &size.width, &size.height) != 0) return size;
  gboolean has_width, has_height, has_box;
  RsvgLength width, height;
  RsvgRectangle box{};
  rsvg_handle_get_intrinsic_dimensions(handle, &has_width, &width, &has_height, &height, &has_box, &box);
  if (has_box == 0) Fail(ExitCode::kIo, "the SVG can't be drawn: it has neither a size nor a viewBox");
  return {box.width, box.height};
}

cairo_status_t Append(void* target, const unsigned char* data, unsigned int length) {
  static_cast<std::string*>(target)->append(reinterpret_cast<const char*>(data), length);
  return CAIRO_STATUS_SUCCESS;
}

}  // namespace

std::string SvgToPng(const std::string& svg, double scale) {
  GError* error = nullptr;
  const Handle handle(rsvg_handle_new_from_data(reinterpret_cast<const guint8*>(svg.data()), svg.size(), &error));
  if (!handle) FailBy(error);
  const Size size = SizeOf(handle.get());
  const RsvgRectangle whole{0, 0, size.width * scale, size.height * scale};
  const Surface surface(cairo_image_surface_create(CAIRO_FORMAT_ARGB32, static_cast<int>(std::lround(whole.width)),
                                                   static_cast<int>(std::lround(whole.height))));
  Check(cairo_surface_status(surface.get()));
  const Context context(cairo_create(surface.get()));
  if (rsvg_handle_render_document(handle.get(), context.get(), &whole, &error) == 0) FailBy(error);
  Check(cairo_status(context.get()));
  std::string png;
  Check(cairo_surface_write_to_png_stream(surface.get(), Append, &png));
  return png;
}

}  // namespace spotter
