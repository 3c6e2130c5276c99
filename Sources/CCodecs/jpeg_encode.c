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
  static const J_COLOR_SPACE spaces[] = {JCS_GRAYSCALE, JCS_RGB, JCS_EXT_RGBX, JCS_YCbCr};
  static const int channels[] = {1, 3, 4, 3};
  cc_jpeg_settings settings = {.width = width, .height = height, .space = spaces[layout], .components = channels[layout],
                               .quality = quality, .optimise = optimise, .subsample = subsample, .profile = profile,
                               .profile_size = profile_size, .max_bytes = max_bytes};
  cc_jpeg_begin(cinfo, &self->created, &self->output, &settings, guard);
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
