#include "jpeg_error.h"

// The cap is looked at whenever this many bytes have been written, which is how soon a hopeless quality is given up.
#define CHUNK (32 << 10)

static void init_destination(j_compress_ptr cinfo) { (void)cinfo; }

// Makes room for one more chunk behind what is written.
static void grow(j_compress_ptr cinfo) {
  cc_jpeg_output *self = (cc_jpeg_output *)cinfo->dest;
  if (self->size + CHUNK > self->capacity) {
    size_t capacity = self->capacity * 2 > self->size + CHUNK ? self->capacity * 2 : self->size + CHUNK;
    uint8_t *data = realloc(self->data, capacity);
    if (!data) cc_jpeg_fail((j_common_ptr)cinfo, CC_TOO_MUCH_MEMORY, NULL);
    self->data = data;
    self->capacity = capacity;
  }
  self->manager.next_output_byte = self->data + self->size;
  self->manager.free_in_buffer = CHUNK;
}

static void check_cap(j_compress_ptr cinfo) {
  cc_jpeg_output *self = (cc_jpeg_output *)cinfo->dest;
  if (self->max_bytes && self->size > self->max_bytes) cc_jpeg_fail((j_common_ptr)cinfo, CC_OUTPUT_FULL, NULL);
}

static boolean empty_buffer(j_compress_ptr cinfo) {
  ((cc_jpeg_output *)cinfo->dest)->size += CHUNK;
  check_cap(cinfo);
  grow(cinfo);
  return TRUE;
}

static void end_destination(j_compress_ptr cinfo) {
  cc_jpeg_output *self = (cc_jpeg_output *)cinfo->dest;
  self->size += CHUNK - self->manager.free_in_buffer;
  check_cap(cinfo);
}

void cc_jpeg_write_to(j_compress_ptr cinfo, cc_jpeg_output *output, size_t capacity, size_t max_bytes) {
  *output = (cc_jpeg_output){.capacity = capacity + CHUNK, .max_bytes = max_bytes};
  output->manager.init_destination = init_destination;
  output->manager.empty_output_buffer = empty_buffer;
  output->manager.term_destination = end_destination;
  cinfo->dest = &output->manager;
  output->data = malloc(output->capacity);
  if (!output->data) cc_jpeg_fail((j_common_ptr)cinfo, CC_TOO_MUCH_MEMORY, NULL);
  grow(cinfo);
}

void cc_jpeg_begin(j_compress_ptr cinfo, int *created, cc_jpeg_output *output, const cc_jpeg_settings *settings, const cc_guard *guard) {
  jpeg_create_compress(cinfo);
  *created = 1;
  cinfo->mem->max_memory_to_use = (long)guard->max_memory;
  // Grown as needed; most pictures at the usual quality stay below this.
  cc_jpeg_write_to(cinfo, output, (size_t)settings->width * (size_t)settings->height / 4, settings->max_bytes);
  int is_grey = settings->space == JCS_GRAYSCALE;
  cinfo->image_width = (JDIMENSION)settings->width;
  cinfo->image_height = (JDIMENSION)settings->height;
  cinfo->in_color_space = settings->space;
  cinfo->input_components = settings->components;
  jpeg_set_defaults(cinfo);
  jpeg_set_colorspace(cinfo, is_grey ? JCS_GRAYSCALE : JCS_YCbCr);
  jpeg_set_quality(cinfo, settings->quality, TRUE);
  cinfo->optimize_coding = settings->optimise ? TRUE : FALSE;
  cinfo->raw_data_in = settings->by_planes ? TRUE : FALSE;
  if (!is_grey) cinfo->comp_info[0].h_samp_factor = cinfo->comp_info[0].v_samp_factor = settings->subsample ? 2 : 1;
  jpeg_start_compress(cinfo, TRUE);
  if (settings->profile_size > 0) jpeg_write_icc_profile(cinfo, settings->profile, (unsigned)settings->profile_size);
}
