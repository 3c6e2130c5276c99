// JPEG to JPEG without leaving the colours JPEG itself stores: each plane is decoded, shrunk and encoded as it is. Nothing is smoothed
// up to full size only to be averaged down again, which is half of the usual work and some of the usual loss.
#include "jpeg_error.h"

// What is held while planes are read.
typedef struct {
  struct jpeg_decompress_struct cinfo;
  cc_jpeg_error error;
  cc_jpeg_progress progress;
  int created;
  cc_scaler *scalers[3];
  uint8_t *strips[3];
  cc_planes planes;
} reader;

static void reader_close(reader *self) {
  if (self->created) jpeg_destroy_decompress(&self->cinfo);
  for (int i = 0; i < 3; i++) {
    cc_scaler_close(self->scalers[i]);
    free(self->strips[i]);
  }
  cc_planes_free(&self->planes);
  free(self);
}

// Takes the rows of one plane that a strip brought.
static void take_rows(reader *self, int index, const uint8_t *rows, size_t stride, int count, int *taken, int *written) {
  cc_plane *plane = &self->planes.plane[index];
  int height = (int)self->cinfo.comp_info[index].downsampled_height;
  for (int r = 0; r < count && *taken < height; r++, (*taken)++) {
    const uint8_t *row = rows + stride * (size_t)r;
    int next = *written < plane->height ? *written : plane->height - 1;
    uint8_t *out = plane->pixels + (size_t)next * (size_t)plane->width;
    if (self->scalers[index])
      *written += cc_scaler_push(self->scalers[index], row, out);
    else
      memcpy(out, row, (size_t)plane->width), (*written)++;
  }
}

cc_status cc_jpeg_read_planes(const uint8_t *data, size_t size, int eighths, int width, int height, const cc_guard *guard,
                              cc_planes *out, const char **detail) {
  reader *self = calloc(1, sizeof *self);
  if (!self) return CC_TOO_MUCH_MEMORY;
  struct jpeg_decompress_struct *cinfo = &self->cinfo;
  cinfo->err = cc_jpeg_error_init(&self->error);
  if (setjmp(self->error.jump)) {
    cc_status status = self->error.status;
    *detail = self->error.detail;
    reader_close(self);
    return status;
  }
  jpeg_create_decompress(cinfo);
  self->created = 1;
  cc_jpeg_watch((j_common_ptr)cinfo, &self->progress, guard);
  jpeg_mem_src(cinfo, data, size);
  jpeg_read_header(cinfo, TRUE);
  int count = cinfo->num_components;
  int is_grey = count == 1 && cinfo->jpeg_color_space == JCS_GRAYSCALE, is_colour = count == 3 && cinfo->jpeg_color_space == JCS_YCbCr;
  if (!is_grey && !is_colour) cc_jpeg_fail((j_common_ptr)cinfo, CC_UNSUPPORTED, "its planes cannot be read as they are");
  cinfo->scale_num = (unsigned)eighths;
  cinfo->scale_denom = 8;
  cinfo->raw_data_out = TRUE;
  cinfo->out_color_space = cinfo->jpeg_color_space;
  jpeg_calc_output_dimensions(cinfo);
  if (!cc_planes_alloc(&self->planes, count, width, height)) cc_jpeg_fail((j_common_ptr)cinfo, CC_TOO_MUCH_MEMORY, NULL);
  for (int i = 0; i < count; i++) {
    const jpeg_component_info *info = &cinfo->comp_info[i];
    const cc_plane *plane = &self->planes.plane[i];
    int in_width = (int)info->downsampled_width, in_height = (int)info->downsampled_height;
    if (in_width < plane->width || in_height < plane->height)
      cc_jpeg_fail((j_common_ptr)cinfo, CC_UNSUPPORTED, "its colours are coarser than wanted");
    if (in_width == plane->width && in_height == plane->height) continue;
    self->scalers[i] = cc_scaler_open(in_width, in_height, 1, plane->width, plane->height);
    if (!self->scalers[i]) cc_jpeg_fail((j_common_ptr)cinfo, CC_TOO_MUCH_MEMORY, NULL);
  }
  jpeg_start_decompress(cinfo);

  JSAMPROW rows[3][MAX_SAMP_FACTOR * DCTSIZE];
  JSAMPARRAY image[3] = {rows[0], rows[1], rows[2]};
  size_t strides[3] = {0};
  int heights[3] = {0}, taken[3] = {0}, written[3] = {0};
  for (int i = 0; i < count; i++) {
    const jpeg_component_info *info = &cinfo->comp_info[i];
    heights[i] = info->v_samp_factor * info->DCT_scaled_size;
    // Whole blocks, and what belongs to them when blocks come in groups.
    strides[i] = ((size_t)info->width_in_blocks + MAX_SAMP_FACTOR) * (size_t)info->DCT_scaled_size;
    self->strips[i] = calloc((size_t)heights[i], strides[i]);
    if (!self->strips[i]) cc_jpeg_fail((j_common_ptr)cinfo, CC_TOO_MUCH_MEMORY, NULL);
    for (int r = 0; r < heights[i]; r++) rows[i][r] = self->strips[i] + strides[i] * (size_t)r;
  }
  while (cinfo->output_scanline < cinfo->output_height) {
    JDIMENSION lines = (JDIMENSION)(cinfo->max_v_samp_factor * cinfo->min_DCT_scaled_size);
    if (jpeg_read_raw_data(cinfo, image, lines) == 0) break;
    for (int i = 0; i < count; i++) take_rows(self, i, self->strips[i], strides[i], heights[i], &taken[i], &written[i]);
  }
  jpeg_finish_decompress(cinfo);
  for (int i = 0; i < count; i++)
    if (written[i] < self->planes.plane[i].height) cc_jpeg_fail((j_common_ptr)cinfo, CC_BROKEN, "its data ends too early");
  *out = self->planes;
  self->planes = (cc_planes){0};
  reader_close(self);
  return CC_OK;
}

typedef struct {
  struct jpeg_compress_struct cinfo;
  cc_jpeg_output output;
  cc_jpeg_error error;
  int created;
  uint8_t *strips[3];
} writer;

// Fills a strip with rows first... of the upright plane, repeating the last sample and the last row where it ends.
static void fill_strip(const cc_plane *plane, int orientation, int first, int count, uint8_t *strip, size_t stride, uint8_t *turned) {
  int width = orientation >= 5 ? plane->height : plane->width, height = orientation >= 5 ? plane->width : plane->height;
  int present = height - first < count ? height - first : count;
  if (present < 0) present = 0;
  if (orientation != 1 && present > 0) cc_turn_rows(plane->pixels, plane->width, plane->height, 1, orientation, first, present, turned);
  for (int r = 0; r < count; r++) {
    uint8_t *row = strip + stride * (size_t)r;
    if (r >= present) {
      // A strip always begins within the luminance plane; the colour planes are half as high, rounded up.
      if (r > 0) memcpy(row, row - stride, stride);
      continue;
    }
    const uint8_t *from = orientation == 1 ? plane->pixels + (size_t)(first + r) * (size_t)plane->width : turned + (size_t)r * (size_t)width;
    memcpy(row, from, (size_t)width);
    memset(row + width, row[width - 1], stride - (size_t)width);
  }
}

cc_status cc_planes_encode(const cc_planes *planes, int orientation, int quality, int optimise, const uint8_t *profile,
                           size_t profile_size, size_t max_bytes, const cc_guard *guard, uint8_t **out, size_t *size) {
  writer *self = calloc(1, sizeof *self);
  if (!self) return CC_TOO_MUCH_MEMORY;
  struct jpeg_compress_struct *cinfo = &self->cinfo;
  cinfo->err = cc_jpeg_error_init(&self->error);
  const cc_plane *luma = &planes->plane[0];
  int width = orientation >= 5 ? luma->height : luma->width, height = orientation >= 5 ? luma->width : luma->height;
  cc_status status;
  if (setjmp(self->error.jump)) {
    status = self->error.status;
    // What the whole would have been, going by the rows done.
    JDIMENSION done = cinfo->next_scanline > 0 ? cinfo->next_scanline : 1;
    *size = status == CC_OUTPUT_FULL ? self->output.size * (size_t)height / (done < (JDIMENSION)height ? done : (JDIMENSION)height) : 0;
    goto finished;
  }
  cc_jpeg_settings settings = {.width = width, .height = height, .space = planes->count == 1 ? JCS_GRAYSCALE : JCS_YCbCr,
                               .components = planes->count, .quality = quality, .optimise = optimise, .subsample = 1, .by_planes = 1,
                               .profile = profile, .profile_size = profile_size, .max_bytes = max_bytes};
  cc_jpeg_begin(cinfo, &self->created, &self->output, &settings, guard);

  int lines = cinfo->max_v_samp_factor * DCTSIZE;
  JSAMPROW rows[3][2 * DCTSIZE];
  JSAMPARRAY image[3] = {rows[0], rows[1], rows[2]};
  size_t stride = ((size_t)width / 16 + 2) * 16;
  for (int i = 0; i < planes->count; i++) {
    // Behind the strip there is room for turned rows before they are padded.
    self->strips[i] = malloc(stride * (size_t)lines * 2);
    if (!self->strips[i]) cc_jpeg_fail((j_common_ptr)cinfo, CC_TOO_MUCH_MEMORY, NULL);
    for (int r = 0; r < lines; r++) rows[i][r] = self->strips[i] + stride * (size_t)r;
  }
  for (int first = 0; first < height; first += lines) {
    cc_status stop = cc_guard_check(guard);
    if (stop != CC_OK) cc_jpeg_fail((j_common_ptr)cinfo, stop, NULL);
    for (int i = 0; i < planes->count; i++) {
      int half = i > 0;
      fill_strip(&planes->plane[i], orientation, first >> half, lines >> half, self->strips[i], stride,
                 self->strips[i] + stride * (size_t)lines);
    }
    jpeg_write_raw_data(cinfo, image, (JDIMENSION)lines);
  }
  jpeg_finish_compress(cinfo);
  status = CC_OK;
  *out = self->output.data;
  *size = self->output.size;
  self->output.data = NULL;

finished:
  if (self->created) jpeg_destroy_compress(cinfo);
  for (int i = 0; i < 3; i++) free(self->strips[i]);
  free(self->output.data);
  free(self);
  return status;
}
