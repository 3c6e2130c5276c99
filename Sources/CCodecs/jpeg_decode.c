#include "jpeg_error.h"

// Rows fetched from libjpeg at a time; it makes two at a time when colours are stored coarsely.
#define BATCH 16

typedef struct {
  cc_source base;
  struct jpeg_decompress_struct cinfo;
  cc_jpeg_error error;
  cc_jpeg_progress progress;
  int created;
  int inverted;        // CMYK as Adobe stores it: 255 means no ink
  size_t stride;       // of the buffer, in libjpeg's channels
  uint8_t *buffer;
  uint8_t *converted;  // one row of RGB, for CMYK only
  int held, taken;
} jpeg_source;

static void cmyk_to_rgb(const uint8_t *in, int width, int inverted, uint8_t *out) {
  unsigned flip = inverted ? 0 : 255;
  for (int i = 0; i < width; i++, in += 4, out += 3) {
    unsigned k = in[3] ^ flip;
    for (int c = 0; c < 3; c++) {
      unsigned product = (in[c] ^ flip) * k + 128;
      out[c] = (uint8_t)((product + (product >> 8)) >> 8);
    }
  }
}

static cc_status jpeg_next(cc_source *base, const uint8_t **row, const char **detail) {
  jpeg_source *self = (jpeg_source *)base;
  if (self->taken == self->held) {
    if (setjmp(self->error.jump)) {
      *detail = self->error.detail;
      return self->error.status;
    }
    self->held = self->taken = 0;
    while (self->held < BATCH && self->cinfo.output_scanline < self->cinfo.output_height) {
      JSAMPROW rows[BATCH];
      for (int i = self->held; i < BATCH; i++) rows[i] = self->buffer + self->stride * (size_t)i;
      self->held += (int)jpeg_read_scanlines(&self->cinfo, rows + self->held, (JDIMENSION)(BATCH - self->held));
    }
  }
  const uint8_t *in = self->buffer + self->stride * (size_t)self->taken++;
  if (self->converted) {
    cmyk_to_rgb(in, base->facts.width, self->inverted, self->converted);
    in = self->converted;
  }
  *row = in;
  return CC_OK;
}

static void jpeg_close(cc_source *base) {
  jpeg_source *self = (jpeg_source *)base;
  if (self->created && !setjmp(self->error.jump)) jpeg_destroy_decompress(&self->cinfo);
  free(self->buffer);
  free(self->converted);
  free(self);
}

cc_status cc_jpeg_open(const uint8_t *data, size_t size, int eighths, const cc_guard *guard, cc_source **out, const char **detail) {
  jpeg_source *self = calloc(1, sizeof *self);
  if (!self) return CC_TOO_MUCH_MEMORY;
  self->base.guard = guard;
  self->base.next = jpeg_next;
  self->base.close = jpeg_close;
  struct jpeg_decompress_struct *cinfo = &self->cinfo;
  cinfo->err = cc_jpeg_error_init(&self->error);
  if (setjmp(self->error.jump)) {
    cc_status status = self->error.status;
    *detail = self->error.detail;
    jpeg_close(&self->base);
    return status;
  }
  jpeg_create_decompress(cinfo);
  self->created = 1;
  cc_jpeg_watch((j_common_ptr)cinfo, &self->progress, guard);
  jpeg_mem_src(cinfo, data, size);
  jpeg_read_header(cinfo, TRUE);

  cc_facts *facts = &self->base.facts;
  switch (cinfo->jpeg_color_space) {
    case JCS_GRAYSCALE:
      cinfo->out_color_space = JCS_GRAYSCALE;
      facts->channels = 1;
      facts->colour = CC_GREY;
      break;
    case JCS_YCbCr:
      // No detour over RGB: the encoder wants these very channels.
      cinfo->out_color_space = JCS_YCbCr;
      facts->channels = 3;
      facts->colour = CC_YCC;
      break;
    case JCS_RGB:
      cinfo->out_color_space = JCS_RGB;
      facts->channels = 3;
      facts->colour = CC_RGB;
      break;
    case JCS_CMYK:
    case JCS_YCCK:
      cinfo->out_color_space = JCS_CMYK;
      facts->channels = 3;
      facts->colour = CC_RGB;
      facts->was_cmyk = 1;
      self->inverted = cinfo->saw_Adobe_marker;
      break;
    default:
      cc_jpeg_fail((j_common_ptr)cinfo, CC_UNSUPPORTED, "it has an unknown number of colour channels");
  }
  for (int i = 1; i < cinfo->num_components; i++)
    if (cinfo->comp_info[i].h_samp_factor < cinfo->max_h_samp_factor || cinfo->comp_info[i].v_samp_factor < cinfo->max_v_samp_factor)
      facts->was_subsampled = 1;
  cinfo->scale_num = (unsigned)eighths;
  cinfo->scale_denom = 8;
  jpeg_calc_output_dimensions(cinfo);
  // Reads all scans of a progressive picture, which is where its memory and time go.
  jpeg_start_decompress(cinfo);
  facts->width = (int)cinfo->output_width;
  facts->height = (int)cinfo->output_height;
  self->stride = (size_t)cinfo->output_width * (size_t)cinfo->output_components;
  self->buffer = malloc(self->stride * BATCH);
  if (facts->was_cmyk) self->converted = malloc((size_t)facts->width * 3);
  if (!self->buffer || (facts->was_cmyk && !self->converted)) cc_jpeg_fail((j_common_ptr)cinfo, CC_TOO_MUCH_MEMORY, NULL);
  *out = &self->base;
  return CC_OK;
}
