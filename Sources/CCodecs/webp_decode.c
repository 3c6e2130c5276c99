#include "webp_feed.h"

typedef struct {
  cc_source base;
  WebPDecoderConfig config;
  cc_webp_feed feed;
  cc_window rows;
  int ready;  // rows decoded
  size_t stride;
} webp_source;

static cc_status feed(webp_source *self, const char **detail) {
  cc_status status = cc_webp_feed_step(&self->feed, self->base.guard, detail);
  if (status != CC_OK) return status;
  int last = 0;
  if (self->feed.done)
    self->ready = self->base.facts.height;
  else if (WebPIDecGetRGB(self->feed.decoder, &last, NULL, NULL, NULL))
    self->ready = last;
  return CC_OK;
}

static cc_status webp_next(cc_source *base, const uint8_t **row, const char **detail) {
  webp_source *self = (webp_source *)base;
  while (self->ready <= base->next_row) {
    cc_status status = feed(self, detail);
    if (status != CC_OK) return status;
  }
  // A file whose last rows came early must still be whole.
  while (base->next_row + 1 == base->facts.height && !self->feed.done) {
    cc_status status = feed(self, detail);
    if (status != CC_OK) return status;
  }
  // The decoder writes rows in order and never looks back at them.
  size_t offset = self->stride * (size_t)base->next_row;
  cc_window_release(&self->rows, offset);
  *row = self->rows.bytes + offset;
  return CC_OK;
}

static void webp_close(cc_source *base) {
  webp_source *self = (webp_source *)base;
  if (self->feed.decoder) WebPIDelete(self->feed.decoder);
  cc_window_close(&self->rows);
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
  self->feed = (cc_webp_feed){.data = data, .size = size};
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
  // Its scaler goes wrong where chroma is a single sample wide.
  if (width > 0 && height > 0 && features.width > 2 && !features.has_alpha && (width < features.width || height < features.height)) {
    self->config.options.use_scaling = 1;
    self->config.options.scaled_width = width;
    self->config.options.scaled_height = height;
    facts->width = width;
    facts->height = height;
  }
  self->stride = (size_t)facts->width * (size_t)facts->channels;
  if (!cc_window_open(&self->rows, self->stride * (size_t)facts->height)) {
    webp_close(&self->base);
    return CC_TOO_MUCH_MEMORY;
  }
  WebPDecBuffer *output = &self->config.output;
  output->colorspace = features.has_alpha ? MODE_RGBA : MODE_RGB;
  output->is_external_memory = 1;
  output->u.RGBA.rgba = self->rows.bytes;
  output->u.RGBA.stride = (int)self->stride;
  output->u.RGBA.size = self->rows.size;
  self->feed.decoder = WebPIDecode(NULL, 0, &self->config);
  if (!self->feed.decoder) {
    webp_close(&self->base);
    return CC_TOO_MUCH_MEMORY;
  }
  *out = &self->base;
  return CC_OK;
}
