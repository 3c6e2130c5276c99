#include "jpeg_error.h"

struct cc_encoder {
  struct jpeg_compress_struct cinfo;
  cc_jpeg_output output;
  cc_jpeg_error error;
  const cc_guard *guard;
  int created, lines;
};

cc_status cc_encoder_open(int width, int height, cc_layout layout, int quality, int subsample, int optimise, const uint8_t *profile,
                          size_t profile_size, size_t max_bytes, const cc_guard *guard, cc_encoder **out) {
  cc_encoder *self = calloc(1, sizeof *self);
  if (!self) return CC_TOO_MUCH_MEMORY;
  self->guard = guard;
  struct jpeg_compress_struct *cinfo = &self->cinfo;
  cinfo->err = cc_jpeg_error_init(&self->error);
  if (setjmp(self->error.jump)) {
    cc_status status = self->error.status;
    cc_encoder_close(self);
    return status;
  }
  jpeg_create_compress(cinfo);
  self->created = 1;
  cinfo->mem->max_memory_to_use = (long)guard->max_memory;
  // Grown as needed; most pictures at the usual quality stay below this.
  cc_jpeg_write_to(cinfo, &self->output, (size_t)width * (size_t)height / 4, max_bytes);

  cinfo->image_width = (JDIMENSION)width;
  cinfo->image_height = (JDIMENSION)height;
  static const J_COLOR_SPACE spaces[] = {JCS_GRAYSCALE, JCS_RGB, JCS_EXT_RGBX, JCS_YCbCr};
  static const int channels[] = {1, 3, 4, 3};
  cinfo->in_color_space = spaces[layout];
  cinfo->input_components = channels[layout];
  jpeg_set_defaults(cinfo);
  jpeg_set_colorspace(cinfo, layout == CC_IN_GREY ? JCS_GRAYSCALE : JCS_YCbCr);
  jpeg_set_quality(cinfo, quality, TRUE);
  cinfo->optimize_coding = optimise ? TRUE : FALSE;
  if (layout != CC_IN_GREY) cinfo->comp_info[0].h_samp_factor = cinfo->comp_info[0].v_samp_factor = subsample ? 2 : 1;
  jpeg_start_compress(cinfo, TRUE);
  if (profile_size > 0) jpeg_write_icc_profile(cinfo, profile, (unsigned)profile_size);
  *out = self;
  return CC_OK;
}

cc_status cc_encoder_write(cc_encoder *self, const uint8_t *rows, size_t stride, int count) {
  if (setjmp(self->error.jump)) return self->error.status;
  for (int i = 0; i < count; i++) {
    if (self->lines++ % CC_ROWS_PER_CHECK == 0) {
      cc_status status = cc_guard_check(self->guard);
      if (status != CC_OK) return status;
    }
    JSAMPROW row = (JSAMPROW)(uintptr_t)(rows + stride * (size_t)i);
    jpeg_write_scanlines(&self->cinfo, &row, 1);
  }
  return CC_OK;
}

cc_status cc_encoder_finish(cc_encoder *self, const uint8_t **data, size_t *size) {
  if (setjmp(self->error.jump)) return self->error.status;
  jpeg_finish_compress(&self->cinfo);
  *data = self->output.data;
  *size = self->output.size;
  return CC_OK;
}

size_t cc_encoder_size(const cc_encoder *self) { return self->output.size; }

void cc_encoder_close(cc_encoder *self) {
  if (!self) return;
  if (self->created && !setjmp(self->error.jump)) jpeg_destroy_compress(&self->cinfo);
  free(self->output.data);
  free(self);
}
