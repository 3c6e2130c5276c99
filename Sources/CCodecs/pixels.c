#include "source.h"

static inline uint8_t over_255(unsigned product) {
  product += 128;
  return (uint8_t)((product + (product >> 8)) >> 8);
}

int cc_row_is_opaque(const uint8_t *row, int width, int channels) {
  uint8_t all = 255;
  if (channels == 4)
    for (int i = 0; i < width; i++) all &= row[4 * (size_t)i + 3];
  else
    for (int i = 0; i < width; i++) all &= row[2 * (size_t)i + 1];
  return all == 255;
}

// A mean over a wide row needs no more than every fourth pixel; what is small is counted whole.
int cc_alpha_step(int width) { return width >= 1024 ? 4 : 1; }

void cc_alpha_count(const uint8_t *row, int width, int channels, int opaque, cc_alpha_stats *stats) {
  unsigned step = (unsigned)cc_alpha_step(width);
  uint64_t visible = 0, luminance = 0;
  for (int i = 0; i < width; i += (int)step) {
    const uint8_t *pixel = row + (size_t)i * (size_t)channels;
    unsigned alpha = pixel[channels - 1];
    unsigned light = channels == 4 ? (pixel[0] * 77u + pixel[1] * 150u + pixel[2] * 29u) >> 8 : pixel[0];
    visible += alpha;
    luminance += alpha * light;
  }
  stats->visible += visible * step;
  stats->luminance += luminance * step;
  stats->transparent_rows += !opaque;
}

typedef uint8_t two_pixels __attribute__((vector_size(8)));
typedef uint16_t two_wide __attribute__((vector_size(16)));

// Blends pairs of RGBA pixels; returns how many pixels were done.
static int flatten_pairs(const uint8_t *in, int width, const uint8_t background[3], uint8_t *out) {
  uint16_t red = background[0], green = background[1], blue = background[2];
  const two_wide back = {red, green, blue, 0, red, green, blue, 0};
  int done = 0;
  for (; done + 2 <= width; done += 2, in += 8, out += 8) {
    two_pixels pixels;
    memcpy(&pixels, in, sizeof pixels);
    two_wide wide = __builtin_convertvector(pixels, two_wide);
    two_wide alpha = __builtin_shufflevector(wide, wide, 3, 3, 3, 3, 7, 7, 7, 7);
    two_wide sum = wide * alpha + back * (255 - alpha) + 128;  // at most 65,153
    pixels = __builtin_convertvector((sum + (sum >> 8)) >> 8, two_pixels);
    memcpy(out, &pixels, sizeof pixels);
  }
  return done;
}

void cc_flatten(const uint8_t *in, int width, int channels, const uint8_t background[3], int to_grey, uint8_t *out) {
  unsigned red = background[0], green = background[1], blue = background[2];
  if (channels == 4) {
    int done = flatten_pairs(in, width, background, out);
    in += (size_t)done * 4;
    out += (size_t)done * 4;
    for (int i = done; i < width; i++, in += 4, out += 4) {
      unsigned alpha = in[3], rest = 255 - alpha;
      out[0] = over_255(in[0] * alpha + red * rest);
      out[1] = over_255(in[1] * alpha + green * rest);
      out[2] = over_255(in[2] * alpha + blue * rest);
      out[3] = 255;
    }
  } else if (to_grey) {
    for (int i = 0; i < width; i++, in += 2) out[i] = over_255(in[0] * in[1] + red * (255u - in[1]));
  } else {
    for (int i = 0; i < width; i++, in += 2, out += 3) {
      unsigned light = in[0] * in[1], rest = 255u - in[1];
      out[0] = over_255(light + red * rest);
      out[1] = over_255(light + green * rest);
      out[2] = over_255(light + blue * rest);
    }
  }
}

void cc_pack_rgb(const uint8_t *rgbx, int width, uint8_t *rgb) {
  for (int i = 0; i < width; i++, rgbx += 4, rgb += 3) rgb[0] = rgbx[0], rgb[1] = rgbx[1], rgb[2] = rgbx[2];
}

void cc_census_row(cc_census *census, const uint8_t *row, int width, int channels) {
  for (int i = 1; i < width; i += 3) {
    const uint8_t *pixel = row + (size_t)i * (size_t)channels, *left = pixel - channels;
    uint32_t colour = pixel[0] | (uint32_t)pixel[1] << 8 | (uint32_t)pixel[2] << 16;
    census->pixels++;
    if (left[0] == pixel[0] && left[1] == pixel[1] && left[2] == pixel[2]) {
      census->equal_neighbours++;
      continue;
    }
    if (census->distinct >= CC_CENSUS_MAX) continue;
    uint32_t slot = (colour * 2654435761u) >> 19;
    while (census->table[slot] != 0 && census->table[slot] != colour + 1) slot = (slot + 1) & 8191;
    if (census->table[slot] == 0) {
      census->table[slot] = colour + 1;
      census->distinct++;
    }
  }
}

// ---- Area scaler

// Pictures that become at most this much less one times smaller have outputs of at most this many columns.
#define NARROW 3

typedef struct {
  int first, count;                  // columns covered
  float weights[NARROW], weight_last;  // of the first columns, zero behind the last one; of the last one
} span;

struct cc_scaler {
  int in_width, in_height, channels, out_width, out_height, out_channels;
  int row;               // input rows taken
  uint32_t total;        // sum of row weights in sums
  uint32_t *sums;        // weighted sum of rows, per channel; a row counts 256
  span *spans;
  int is_wide;           // some output covers more than NARROW columns
  size_t length;
};

cc_scaler *cc_scaler_open(int in_width, int in_height, int channels, int out_width, int out_height) {
  cc_scaler *self = calloc(1, sizeof *self);
  if (!self) return NULL;
  *self = (cc_scaler){.in_width = in_width, .in_height = in_height, .channels = channels, .out_width = out_width,
                      .out_height = out_height, .out_channels = channels == 4 ? 3 : channels};
  self->length = (size_t)in_width * (size_t)channels;
  // Four lanes are read at a time, and in a narrow scaler columns beyond the last with no weight.
  self->sums = calloc(self->length + NARROW * (size_t)channels + 4, sizeof *self->sums);
  self->spans = calloc((size_t)out_width, sizeof *self->spans);
  if (!self->sums || !self->spans) {
    cc_scaler_close(self);
    return NULL;
  }
  for (int x = 0; x < out_width; x++) {
    // In units of 1/out_width of an input column, the output column covers [begin, end).
    int64_t begin = (int64_t)x * in_width, end = begin + in_width;
    int first = (int)(begin / out_width), last = (int)((end - 1) / out_width);
    span *s = &self->spans[x];
    *s = (span){.first = first, .count = last - first + 1};
    for (int i = 0; i < NARROW && i < s->count; i++) s->weights[i] = 1;
    int64_t first_end = (int64_t)(first + 1) * out_width;
    s->weights[0] = (float)((first_end < end ? first_end : end) - begin) / (float)out_width;
    s->weight_last = (float)(end - (int64_t)last * out_width) / (float)out_width;
    if (s->count > 1 && s->count <= NARROW) s->weights[s->count - 1] = s->weight_last;
    if (s->count > NARROW) self->is_wide = 1;
  }
  return self;
}

void cc_scaler_close(cc_scaler *self) {
  if (!self) return;
  free(self->sums);
  free(self->spans);
  free(self);
}

typedef uint8_t eight_bytes __attribute__((vector_size(8)));
typedef uint16_t eight_shorts __attribute__((vector_size(16)));
typedef uint32_t four_words __attribute__((vector_size(16)));

// Adds a row to sums, or begins them with it. A byte times a weight of at most 256 fits 16 bits, where every processor multiplies eight
// at a time; left alone, the compiler does it in 32.
static inline void lay_row(uint32_t *restrict sums, const uint8_t *restrict row, size_t length, uint16_t weight, int begins) {
  size_t i = 0;
  for (; i + 8 <= length; i += 8) {
    eight_bytes bytes;
    memcpy(&bytes, row + i, sizeof bytes);
    eight_shorts product = __builtin_convertvector(bytes, eight_shorts) * weight;
    four_words low = __builtin_convertvector(__builtin_shufflevector(product, product, 0, 1, 2, 3), four_words);
    four_words high = __builtin_convertvector(__builtin_shufflevector(product, product, 4, 5, 6, 7), four_words);
    if (!begins) {
      four_words sum;
      memcpy(&sum, sums + i, sizeof sum);
      low += sum;
      memcpy(&sum, sums + i + 4, sizeof sum);
      high += sum;
    }
    memcpy(sums + i, &low, sizeof low);
    memcpy(sums + i + 4, &high, sizeof high);
  }
  for (; i < length; i++) sums[i] = (begins ? 0 : sums[i]) + (uint16_t)(row[i] * weight);
}

static void add_row(uint32_t *sums, const uint8_t *row, size_t length, uint16_t weight) { lay_row(sums, row, length, weight, 0); }

static void set_row(uint32_t *sums, const uint8_t *row, size_t length, uint16_t weight) { lay_row(sums, row, length, weight, 1); }

typedef float lanes __attribute__((vector_size(16)));
typedef int32_t whole_lanes __attribute__((vector_size(16)));
typedef uint8_t four_bytes __attribute__((vector_size(4)));

static inline lanes load(const uint32_t *sums) {
  whole_lanes whole;
  memcpy(&whole, sums, sizeof whole);
  return __builtin_convertvector(whole, lanes);
}

static inline float narrow_sum(const uint32_t *sums, const span *s) {
  return (float)(int32_t)sums[0] * s->weights[0] + (float)(int32_t)sums[1] * s->weights[1] + (float)(int32_t)sums[2] * s->weights[2];
}

static inline float wide_sum(const uint32_t *sums, const span *s) {
  float sum = (float)(int32_t)sums[0] * s->weights[0];
  for (int i = 1; i < s->count - 1; i++) sum += (float)(int32_t)sums[i];
  if (s->count > 1) sum += (float)(int32_t)sums[s->count - 1] * s->weight_last;
  return sum;
}

static inline lanes narrow_lanes(const uint32_t *sums, size_t channels, const span *s) {
  return load(sums) * s->weights[0] + load(sums + channels) * s->weights[1] + load(sums + 2 * channels) * s->weights[2];
}

static inline lanes wide_lanes(const uint32_t *sums, size_t channels, const span *s) {
  lanes sum = load(sums) * s->weights[0];
  for (int i = 1; i < s->count - 1; i++) sum += load(sums + (size_t)i * channels);
  if (s->count > 1) sum += load(sums + (size_t)(s->count - 1) * channels) * s->weight_last;
  return sum;
}

static void emit(const cc_scaler *self, uint8_t *out) {
  float scale = (float)self->out_width / ((float)self->in_width * (float)self->total);
  size_t channels = (size_t)self->channels;
  if (channels == 1) {
    for (int x = 0; x < self->out_width; x++) {
      const span *s = &self->spans[x];
      const uint32_t *sums = self->sums + s->first;
      out[x] = (uint8_t)((self->is_wide ? wide_sum(sums, s) : narrow_sum(sums, s)) * scale + 0.5f);
    }
    return;
  }
  for (int x = 0; x < self->out_width; x++, out += 3) {
    const span *s = &self->spans[x];
    const uint32_t *sums = self->sums + (size_t)s->first * channels;
    lanes sum = self->is_wide ? wide_lanes(sums, channels, s) : narrow_lanes(sums, channels, s);
    whole_lanes rounded = __builtin_convertvector(sum * scale + 0.5f, whole_lanes);
    whole_lanes over = rounded > 255;  // by a rounding error
    four_bytes pixel = __builtin_convertvector((rounded & ~over) | (255 & over), four_bytes);
    // One store of four bytes is cheaper than three of one; the next pixel covers the fourth.
    if (x + 1 < self->out_width)
      memcpy(out, &pixel, 4);
    else
      memcpy(out, &pixel, 3);
  }
}

int cc_scaler_push(cc_scaler *self, const uint8_t *row, uint8_t *out) {
  // In units of 1/in_height of an output row, this row covers [begin, begin + out_height); output row n ends at (n + 1) * in_height.
  int64_t begin = (int64_t)self->row * self->out_height, end = begin + self->out_height;
  int64_t boundary = (begin / self->in_height + 1) * self->in_height;
  self->row++;
  int64_t part = (end < boundary ? end : boundary) - begin;
  uint32_t weight = (uint32_t)(part * 256 / self->out_height);
  if (weight == 0 && self->total == 0) weight = 1;
  if (self->total == 0)
    set_row(self->sums, row, self->length, (uint16_t)weight);
  else if (weight)
    add_row(self->sums, row, self->length, (uint16_t)weight);
  self->total += weight;
  if (end < boundary) return 0;
  emit(self, out);
  uint32_t rest = (uint32_t)((end - boundary) * 256 / self->out_height);
  self->total = rest;
  if (rest) set_row(self->sums, row, self->length, (uint16_t)rest);
  return 1;
}

// ---- Turning

// Output rows made together, so that a column of the source is visited once for all of them.
#define TILE 16

static void turn_tile(const uint8_t *pixels, int width, int height, int channels, int orientation, int first, int count, uint8_t *out) {
  int out_width = orientation >= 5 ? height : width;
  size_t out_stride = (size_t)out_width * (size_t)channels;
  for (int x = 0; x < out_width; x++)
    for (int r = 0; r < count; r++) {
      int y = first + r, sx, sy;
      switch (orientation) {
        case 2: sx = width - 1 - x, sy = y; break;
        case 3: sx = width - 1 - x, sy = height - 1 - y; break;
        case 4: sx = x, sy = height - 1 - y; break;
        case 5: sx = y, sy = x; break;
        case 6: sx = y, sy = height - 1 - x; break;
        case 7: sx = width - 1 - y, sy = height - 1 - x; break;
        case 8: sx = width - 1 - y, sy = x; break;
        default: sx = x, sy = y;
      }
      const uint8_t *from = pixels + ((size_t)sy * (size_t)width + (size_t)sx) * (size_t)channels;
      uint8_t *to = out + (size_t)r * out_stride + (size_t)x * (size_t)channels;
      to[0] = from[0];
      if (channels == 3) to[1] = from[1], to[2] = from[2];
    }
}

void cc_turn_rows(const uint8_t *pixels, int width, int height, int channels, int orientation, int first, int count, uint8_t *out) {
  size_t out_stride = (size_t)(orientation >= 5 ? height : width) * (size_t)channels;
  for (int done = 0; done < count; done += TILE)
    turn_tile(pixels, width, height, channels, orientation, first + done, count - done < TILE ? count - done : TILE,
              out + (size_t)done * out_stride);
}
