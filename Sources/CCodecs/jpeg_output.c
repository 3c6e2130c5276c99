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
