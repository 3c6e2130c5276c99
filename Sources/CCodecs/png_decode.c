#include "png_rows.h"
#include <png.h>

typedef struct {
  cc_source base;
  png_structp png;
  png_infop info;
  const uint8_t *data;
  size_t size, position;
  cc_status status;
  const char *detail;
  uint8_t *row;     // one row, or the whole picture when it is interlaced
  int interlaced;
  int has_own_rows;  // rows come from png_rows.c
  cc_png_rows rows;
  size_t stride;
} png_source;

static void on_error(png_structp png, png_const_charp text) {
  (void)text;  // may hold bytes of the file
  png_source *self = png_get_error_ptr(png);
  if (self->status == CC_OK) {
    self->status = CC_BROKEN;
    self->detail = "its data is damaged";
  }
  png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text) {
  (void)png;
  (void)text;
}

static void on_read(png_structp png, png_bytep out, size_t count) {
  png_source *self = png_get_io_ptr(png);
  if (count > self->size - self->position) {
    self->status = CC_BROKEN;
    self->detail = "its data ends too early";
    png_error(png, "");
  }
  memcpy(out, self->data + self->position, count);
  self->position += count;
}

static _Noreturn void fail(png_source *self, cc_status status, const char *detail) {
  self->status = status;
  self->detail = detail;
  png_longjmp(self->png, 1);
}

static void read_interlaced(png_source *self) {
  int passes = png_set_interlace_handling(self->png);
  for (int pass = 0; pass < passes; pass++)
    for (int y = 0; y < self->base.facts.height; y++) {
      if (y % CC_ROWS_PER_CHECK == 0) {
        cc_status status = cc_guard_check(self->base.guard);
        if (status != CC_OK) fail(self, status, NULL);
      }
      png_read_row(self->png, self->row + self->stride * (size_t)y, NULL);
    }
}

static cc_status source_next(cc_source *base, const uint8_t **row, const char **detail) {
  png_source *self = (png_source *)base;
  if (self->has_own_rows) return cc_png_rows_next(&self->rows, row, detail);
  if (!self->interlaced || base->next_row == 0) {
    if (setjmp(png_jmpbuf(self->png))) {
      *detail = self->detail;
      return self->status;
    }
    if (self->interlaced)
      read_interlaced(self);
    else
      png_read_row(self->png, self->row, NULL);
  }
  *row = self->interlaced ? self->row + self->stride * (size_t)base->next_row : self->row;
  return CC_OK;
}

static void source_close(cc_source *base) {
  png_source *self = (png_source *)base;
  if (self->png) png_destroy_read_struct(&self->png, &self->info, NULL);
  cc_png_rows_close(&self->rows);
  free(self->row);
  free(self);
}

// Whether a gAMA value (times 100,000) is so far from sRGB's 1/2.2 that it shows.
static int differs_from_srgb(png_fixed_point gamma) { return gamma > 0 && (gamma < 43000 || gamma > 48000); }

cc_status cc_png_open(const uint8_t *data, size_t size, int use_gamma, int trust_crc, const cc_guard *guard, cc_source **out,
                      const char **detail) {
  png_source *self = calloc(1, sizeof *self);
  if (!self) return CC_TOO_MUCH_MEMORY;
  self->base.guard = guard;
  self->base.next = source_next;
  self->base.close = source_close;
  self->data = data;
  self->size = size;
  self->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, self, on_error, on_warning);
  if (self->png) self->info = png_create_info_struct(self->png);
  if (!self->info) {
    source_close(&self->base);
    return CC_TOO_MUCH_MEMORY;
  }
  if (setjmp(png_jmpbuf(self->png))) {
    cc_status status = self->status;
    *detail = self->detail;
    source_close(&self->base);
    return status;
  }
  png_structp png = self->png;
  png_infop info = self->info;
  png_set_read_fn(png, self, on_read);
  png_set_user_limits(png, 0x7fffffff, 0x7fffffff);  // ours are checked before
  png_set_chunk_cache_max(png, 64);
  png_set_chunk_malloc_max(png, guard->max_chunk_bytes);
  // Two thousand compressed text chunks cost libpng 3.8 s of inflating for a picture of one pixel; nothing here reads text.
  static const png_byte skipped[] = "tEXt\0zTXt\0iTXt\0hIST\0sPLT\0pCAL\0sCAL\0oFFs\0tIME\0pHYs\0eXIf\0bKGD\0sTER\0";
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, skipped, (int)(sizeof skipped / 5));
  if (trust_crc) png_set_crc_action(png, PNG_CRC_QUIET_USE, PNG_CRC_QUIET_USE);
  png_read_info(png, info);

  png_uint_32 width, height;
  int depth, type, interlace;
  png_get_IHDR(png, info, &width, &height, &depth, &type, &interlace, NULL, NULL);
  cc_facts *facts = &self->base.facts;
  facts->width = (int)width;
  facts->height = (int)height;
  facts->was_sixteen_bit = depth == 16;
  facts->has_few_colours = type == PNG_COLOR_TYPE_PALETTE;

  png_charp name;
  int method;
  png_bytep profile;
  png_uint_32 profile_size;
  int has_profile = png_get_iCCP(png, info, &name, &method, &profile, &profile_size) != 0;
  if (has_profile) {
    self->base.profile = profile;
    self->base.profile_size = profile_size;
  }
  // A profile says more than gAMA does, and it travels along; sRGB is what everyone assumes.
  png_fixed_point gamma = 0;
  if (use_gamma && !has_profile && !png_get_valid(png, info, PNG_INFO_sRGB) && png_get_gAMA_fixed(png, info, &gamma) &&
      differs_from_srgb(gamma)) {
    png_set_gamma_fixed(png, PNG_DEFAULT_sRGB, gamma);
    facts->was_gamma_corrected = 1;
  }
  self->interlaced = interlace != PNG_INTERLACE_NONE;
  if (depth == 8 && type != PNG_COLOR_TYPE_PALETTE && !self->interlaced && !facts->was_gamma_corrected &&
      !png_get_valid(png, info, PNG_INFO_tRNS)) {
    facts->channels = png_get_channels(png, info);
    facts->colour = facts->channels < 3 ? CC_GREY : CC_RGB;
    size_t pixel = (size_t)facts->channels;
    // What libpng has read last is the first IDAT chunk's length and name.
    cc_status status =
        cc_png_rows_open(&self->rows, data, size, self->position - 8, trust_crc, (size_t)width * pixel, pixel, facts->height);
    if (status != CC_OK) fail(self, status, NULL);
    self->has_own_rows = 1;
    *out = &self->base;
    return CC_OK;
  }
  png_set_expand(png);  // palette to RGB, grey to 8 bits, tRNS to alpha
  if (depth == 16) png_set_scale_16(png);
  if (self->interlaced) png_set_interlace_handling(png);
  png_read_update_info(png, info);
  facts->channels = png_get_channels(png, info);
  facts->colour = facts->channels < 3 ? CC_GREY : CC_RGB;
  self->stride = png_get_rowbytes(png, info);
  if (png_get_bit_depth(png, info) != 8 || facts->channels > 4 || self->stride != (size_t)width * (size_t)facts->channels)
    fail(self, CC_UNSUPPORTED, "it is a kind of PNG that is not in common use");
  size_t rows = self->interlaced ? height : 1;
  if (self->stride > guard->max_memory / rows) fail(self, CC_TOO_MUCH_MEMORY, NULL);
  self->row = malloc(self->stride * rows);
  if (!self->row) fail(self, CC_TOO_MUCH_MEMORY, NULL);
  *out = &self->base;
  return CC_OK;
}
