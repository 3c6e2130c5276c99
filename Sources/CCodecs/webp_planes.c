// Lossy WebP to JPEG without leaving the colours both store: brightness, and two colour planes of half the width and height. Nothing is
// smoothed up to full size and turned into RGB only to be turned back. The two differ in range alone: WebP keeps to 16...235 (brightness)
// and 16...240 (colours), JPEG uses 0...255.
#include "webp_feed.h"

// About how many pixels are looked at before a background is chosen.
#define LOOK (1 << 20)

enum { Y, U, V, ALPHA };

struct cc_webp_reader {
  const cc_guard *guard;
  WebPDecoderConfig config;
  cc_webp_feed feed;
  int width, height;       // of the rows that come out of the decoder
  int has_alpha;
  int scaled;              // by libwebp, which can for opaque pictures; rows are only complete at the end
  int ready;               // rows decoded
  cc_window windows[4];    // what is not decoded straight into the planes
  uint8_t *rows[4];
  size_t strides[4];
  cc_scaler *scalers[3];   // for pictures with transparency, once that is laid onto a background
  int written[3];
  uint8_t *mean;           // transparency of one row of the colour planes
  cc_planes planes;
};

void cc_webp_reader_close(cc_webp_reader *self) {
  if (!self) return;
  if (self->feed.decoder) WebPIDelete(self->feed.decoder);
  WebPFreeDecBuffer(&self->config.output);
  for (int i = 0; i < 4; i++) cc_window_close(&self->windows[i]);
  for (int i = 0; i < 3; i++) cc_scaler_close(self->scalers[i]);
  free(self->mean);
  cc_planes_free(&self->planes);
  free(self);
}

// Where the decoder writes a plane: into our own if nothing remains to be done but in place, else into memory that is given back on the way.
static int place(cc_webp_reader *self, int index, int width, int height, int shrinks) {
  self->strides[index] = (size_t)width;
  if (index != ALPHA && !shrinks) {
    self->rows[index] = self->planes.plane[index].pixels;
    return 1;
  }
  if (!cc_window_open(&self->windows[index], (size_t)width * (size_t)height)) return 0;
  self->rows[index] = self->windows[index].bytes;
  if (index == ALPHA) return 1;
  const cc_plane *plane = &self->planes.plane[index];
  self->scalers[index] = cc_scaler_open(width, height, 1, plane->width, plane->height);
  return self->scalers[index] != NULL;
}

static cc_status reader_open(cc_webp_reader *self, int width, int height) {
  const WebPBitstreamFeatures *features = &self->config.input;
  if (WebPGetFeatures(self->feed.data, self->feed.size, &self->config.input) != VP8_STATUS_OK || features->has_animation ||
      width > features->width || height > features->height)
    return CC_BROKEN;
  if (features->format != 1) return CC_UNSUPPORTED;
  size_t pixels = (size_t)features->width * (size_t)features->height;
  if (pixels > self->guard->max_memory / 2) return CC_TOO_MUCH_MEMORY;
  self->has_alpha = features->has_alpha;
  int shrinks = width < features->width || height < features->height;
  // Its scaler goes wrong where chroma is a single sample wide.
  self->scaled = shrinks && !self->has_alpha && features->width > 2;
  self->width = self->scaled ? width : features->width;
  self->height = self->scaled ? height : features->height;
  if (self->scaled) {
    self->config.options.use_scaling = 1;
    self->config.options.scaled_width = width;
    self->config.options.scaled_height = height;
  }
  if (!cc_planes_alloc(&self->planes, 3, width, height)) return CC_TOO_MUCH_MEMORY;
  int half_width = (self->width + 1) / 2, half_height = (self->height + 1) / 2, windows = shrinks && self->has_alpha;
  if (!place(self, Y, self->width, self->height, windows) || !place(self, U, half_width, half_height, windows) ||
      !place(self, V, half_width, half_height, windows))
    return CC_TOO_MUCH_MEMORY;
  if (self->has_alpha) {
    self->mean = malloc((size_t)half_width);
    if (!self->mean || !place(self, ALPHA, self->width, self->height, 1)) return CC_TOO_MUCH_MEMORY;
  }
  WebPDecBuffer *output = &self->config.output;
  output->colorspace = self->has_alpha ? MODE_YUVA : MODE_YUV;
  output->is_external_memory = 1;
  size_t whole = (size_t)self->width * (size_t)self->height, half = (size_t)half_width * (size_t)half_height;
  output->u.YUVA = (WebPYUVABuffer){
      .y = self->rows[Y], .u = self->rows[U], .v = self->rows[V], .a = self->rows[ALPHA],
      .y_stride = self->width, .u_stride = half_width, .v_stride = half_width, .a_stride = self->width,
      .y_size = whole, .u_size = half, .v_size = half, .a_size = whole};
  self->feed.decoder = WebPIDecode(NULL, 0, &self->config);
  return self->feed.decoder ? CC_OK : CC_TOO_MUCH_MEMORY;
}

cc_status cc_webp_reader_open(const uint8_t *data, size_t size, int width, int height, const cc_guard *guard, cc_webp_reader **out,
                              const char **detail) {
  cc_webp_reader *self = calloc(1, sizeof *self);
  if (!self) return CC_TOO_MUCH_MEMORY;
  self->guard = guard;
  self->feed = (cc_webp_feed){.data = data, .size = size};
  *detail = "its data is damaged";
  cc_status status = WebPInitDecoderConfig(&self->config) ? reader_open(self, width, height) : CC_TOO_MUCH_MEMORY;
  if (status == CC_OK)
    *out = self;
  else
    cc_webp_reader_close(self);
  return status;
}

// Decodes until some rows are there.
static cc_status decode(cc_webp_reader *self, int rows, const char **detail) {
  while (!self->feed.done && self->ready < rows) {
    cc_status status = cc_webp_feed_step(&self->feed, self->guard, detail);
    if (status != CC_OK) return status;
    int last = 0;
    if (self->feed.done)
      self->ready = self->height;
    else if (!self->scaled && WebPIDecGetYUVA(self->feed.decoder, &last, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL))
      self->ready = last;
  }
  return CC_OK;
}

// WebP's range to JPEG's: times 255/219.
static inline uint8_t full_luma(uint8_t value) {
  uint16_t above = value > 16 ? (uint16_t)(value - 16) : 0;
  uint16_t full = (uint16_t)(above * 149 + 64) >> 7;
  return full > 255 ? 255 : (uint8_t)full;
}

// Times 255/224, about the middle.
static inline uint8_t full_chroma(uint8_t value) {
  int16_t full = (int16_t)(value + (int16_t)((int16_t)((value - 128) * 71 + 256) >> 9));
  return full < 0 ? 0 : full > 255 ? 255 : (uint8_t)full;
}

static inline uint8_t blended(uint8_t value, uint8_t alpha, uint8_t back) {
  uint16_t sum = (uint16_t)((uint16_t)(value * alpha) + (uint16_t)(back * (uint8_t)(255 - alpha)) + 128);
  return (uint8_t)((uint16_t)(sum + (sum >> 8)) >> 8);
}

static void lay_luma(uint8_t *restrict row, const uint8_t *restrict alpha, int width, uint8_t back) {
  if (alpha)
    for (int i = 0; i < width; i++) row[i] = blended(full_luma(row[i]), alpha[i], back);
  else
    for (int i = 0; i < width; i++) row[i] = full_luma(row[i]);
}

static void lay_chroma(uint8_t *restrict row, const uint8_t *restrict alpha, int width, uint8_t back) {
  if (alpha)
    for (int i = 0; i < width; i++) row[i] = blended(full_chroma(row[i]), alpha[i], back);
  else
    for (int i = 0; i < width; i++) row[i] = full_chroma(row[i]);
}

static int is_opaque(const uint8_t *alpha, int width) {
  uint8_t all = 255;
  for (int i = 0; i < width; i++) all &= alpha[i];
  return all == 255;
}

static void count(const uint8_t *luma, const uint8_t *alpha, int width, int opaque, cc_alpha_stats *stats) {
  int step = cc_alpha_step(width);
  uint64_t visible = 0, luminance = 0;
  for (int i = 0; i < width; i += step) {
    visible += alpha[i];
    luminance += (unsigned)alpha[i] * full_luma(luma[i]);
  }
  stats->visible += visible * (unsigned)step;
  stats->luminance += luminance * (unsigned)step;
  stats->transparent_rows += !opaque;
}

// The transparency of the pixels that share one colour sample.
static void mean_alpha(const uint8_t *restrict first, const uint8_t *restrict second, int width, uint8_t *restrict mean) {
  for (int i = 0; i < width / 2; i++)
    mean[i] = (uint8_t)((first[2 * i] + first[2 * i + 1] + second[2 * i] + second[2 * i + 1] + 2) >> 2);
  if (width % 2) mean[width / 2] = (uint8_t)((first[width - 1] + second[width - 1] + 1) >> 1);
}

// Hands a row that is done to its scaler, if it has one.
static void push(cc_webp_reader *self, int index, const uint8_t *row) {
  if (!self->scalers[index]) return;
  cc_plane *plane = &self->planes.plane[index];
  int next = self->written[index] < plane->height ? self->written[index] : plane->height - 1;
  self->written[index] += cc_scaler_push(self->scalers[index], row, plane->pixels + (size_t)next * (size_t)plane->width);
}

// Two rows of brightness, or the last one alone, and the row of colours that belongs to them.
static void lay_pair(cc_webp_reader *self, int y, const uint8_t back[3], cc_alpha_stats *stats) {
  int count_of_rows = y + 1 < self->height ? 2 : 1, all_opaque = 1;
  const uint8_t *alpha[2] = {NULL, NULL};
  for (int r = 0; r < count_of_rows; r++) {
    uint8_t *luma = self->rows[Y] + self->strides[Y] * (size_t)(y + r);
    int opaque = 1;
    if (self->has_alpha) {
      alpha[r] = self->rows[ALPHA] + self->strides[ALPHA] * (size_t)(y + r);
      opaque = is_opaque(alpha[r], self->width);
      count(luma, alpha[r], self->width, opaque, stats);
    }
    all_opaque &= opaque;
    lay_luma(luma, opaque ? NULL : alpha[r], self->width, back[Y]);
    push(self, Y, luma);
  }
  if (!all_opaque) mean_alpha(alpha[0], alpha[count_of_rows - 1], self->width, self->mean);
  for (int index = U; index <= V; index++) {
    uint8_t *chroma = self->rows[index] + self->strides[index] * (size_t)(y / 2);
    lay_chroma(chroma, all_opaque ? NULL : self->mean, (self->width + 1) / 2, back[index]);
    push(self, index, chroma);
  }
}

cc_status cc_webp_reader_look(cc_webp_reader *self, cc_alpha_stats *stats, const char **detail) {
  *stats = (cc_alpha_stats){0};
  if (!self->has_alpha) return CC_OK;
  int rows = LOOK / self->width + 1;
  if (rows > self->height) rows = self->height;
  cc_status status = decode(self, rows, detail);
  if (status != CC_OK) return status;
  for (int y = 0; y < rows; y++) {
    const uint8_t *alpha = self->rows[ALPHA] + self->strides[ALPHA] * (size_t)y;
    count(self->rows[Y] + self->strides[Y] * (size_t)y, alpha, self->width, is_opaque(alpha, self->width), stats);
  }
  return CC_OK;
}

cc_status cc_webp_reader_finish(cc_webp_reader *self, const uint8_t background[3], cc_planes *out, cc_alpha_stats *stats,
                                const char **detail) {
  *stats = (cc_alpha_stats){0};
  for (int y = 0; y < self->height;) {
    cc_status status = decode(self, y + 2, detail);
    if (status != CC_OK) return status;
    for (; y + 2 <= self->ready || (self->ready == self->height && y < self->height); y += 2) {
      // Where the decoder scales nothing, it writes rows in order and never looks back at them.
      lay_pair(self, y, background, stats);
      for (int i = 0; i < 4; i++) {
        if (!self->windows[i].bytes) continue;
        cc_window_release(&self->windows[i], self->strides[i] * (size_t)(i == U || i == V ? y / 2 : y));
      }
    }
  }
  // A file whose last rows came early must still be whole.
  cc_status status = decode(self, self->height + 1, detail);
  if (status != CC_OK) return status;
  *out = self->planes;
  self->planes = (cc_planes){0};
  return CC_OK;
}
