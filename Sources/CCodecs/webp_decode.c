#include "source.h"
#include <sys/mman.h>
#include <webp/decode.h>

// How much of the file is shown to the decoder at a time. Rows come out in between, so the picture is never held whole.
#define STEP (48 << 10)
// Rows handed on are given back to the system once they fill this many bytes.
#define RELEASE (1 << 20)

typedef struct {
  cc_source base;
  WebPDecoderConfig config;
  WebPIDecoder *decoder;
  const uint8_t *data;
  size_t size, shown;
  int ready;  // rows decoded
  int done;
  uint8_t *pixels;
  size_t stride, mapped, released;
} webp_source;

static cc_status feed(webp_source *self, const char **detail) {
  cc_status status = cc_guard_check(self->base.guard);
  if (status != CC_OK) return status;
  if (self->shown == self->size) {
    *detail = "its data ends too early";
    return CC_BROKEN;
  }
  self->shown = self->size - self->shown > STEP ? self->shown + STEP : self->size;
  VP8StatusCode code = WebPIUpdate(self->decoder, self->data, self->shown);
  switch (code) {
    case VP8_STATUS_OK:
      self->done = 1;
      self->ready = self->base.facts.height;
      return CC_OK;
    case VP8_STATUS_SUSPENDED: {
      int last = 0;
      if (WebPIDecGetRGB(self->decoder, &last, NULL, NULL, NULL)) self->ready = last;
      return CC_OK;
    }
    case VP8_STATUS_OUT_OF_MEMORY:
      return CC_TOO_MUCH_MEMORY;
    default:
      *detail = "its data is damaged";
      return CC_BROKEN;
  }
}

static cc_status webp_next(cc_source *base, const uint8_t **row, const char **detail) {
  webp_source *self = (webp_source *)base;
  while (self->ready <= base->next_row) {
    cc_status status = feed(self, detail);
    if (status != CC_OK) return status;
  }
  // A file whose last rows came early must still be whole.
  while (base->next_row + 1 == base->facts.height && !self->done) {
    cc_status status = feed(self, detail);
    if (status != CC_OK) return status;
  }
  size_t offset = self->stride * (size_t)base->next_row;
  // The decoder writes rows in order and never looks back at them.
  if (offset - self->released > 2 * RELEASE) {
    size_t count = (offset - self->released) / RELEASE * RELEASE - RELEASE;
    madvise(self->pixels + self->released, count, MADV_DONTNEED);
    self->released += count;
  }
  *row = self->pixels + offset;
  return CC_OK;
}

static void webp_close(cc_source *base) {
  webp_source *self = (webp_source *)base;
  if (self->decoder) WebPIDelete(self->decoder);
  if (self->pixels) munmap(self->pixels, self->mapped);
  WebPFreeDecBuffer(&self->config.output);
  free(self);
}

cc_status cc_webp_open(const uint8_t *data, size_t size, int width, int height, const cc_guard *guard, cc_source **out,
                       const char **detail) {
  webp_source *self = calloc(1, sizeof *self);
  if (!self) return CC_TOO_MUCH_MEMORY;
  self->base.guard = guard;
  self->base.next = webp_next;
  self->base.close = webp_close;
  self->data = data;
  self->size = size;
  *detail = "its data is damaged";
  if (!WebPInitDecoderConfig(&self->config)) {
    free(self);
    return CC_TOO_MUCH_MEMORY;
  }
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(data, size, &features) != VP8_STATUS_OK || features.has_animation) {
    webp_close(&self->base);
    return CC_BROKEN;
  }
  cc_facts *facts = &self->base.facts;
  facts->width = features.width;
  facts->height = features.height;
  facts->channels = features.has_alpha ? 4 : 3;
  facts->colour = CC_RGB;
  facts->was_subsampled = features.format == 1;
  // A lossless picture is held whole by the decoder, as four bytes a pixel; a lossy one only as its transparency.
  size_t held = (size_t)features.width * (size_t)features.height * (features.format == 1 ? 1 : 4);
  if (held > guard->max_memory) {
    webp_close(&self->base);
    return CC_TOO_MUCH_MEMORY;
  }
  if (width > 0 && height > 0 && !features.has_alpha && (width < features.width || height < features.height)) {
    self->config.options.use_scaling = 1;
    self->config.options.scaled_width = width;
    self->config.options.scaled_height = height;
    facts->width = width;
    facts->height = height;
  }
  self->stride = (size_t)facts->width * (size_t)facts->channels;
  self->mapped = self->stride * (size_t)facts->height;
  self->pixels = mmap(NULL, self->mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (self->pixels == MAP_FAILED) {
    self->pixels = NULL;
    webp_close(&self->base);
    return CC_TOO_MUCH_MEMORY;
  }
  WebPDecBuffer *output = &self->config.output;
  output->colorspace = features.has_alpha ? MODE_RGBA : MODE_RGB;
  output->is_external_memory = 1;
  output->u.RGBA.rgba = self->pixels;
  output->u.RGBA.stride = (int)self->stride;
  output->u.RGBA.size = self->mapped;
  self->decoder = WebPIDecode(NULL, 0, &self->config);
  if (!self->decoder) {
    webp_close(&self->base);
    return CC_TOO_MUCH_MEMORY;
  }
  *out = &self->base;
  return CC_OK;
}
