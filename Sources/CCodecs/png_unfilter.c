#include "png_rows.h"

typedef uint8_t bytes __attribute__((vector_size(4)));
typedef int16_t words __attribute__((vector_size(8)));

// A pixel of three or four bytes at once; a fourth byte that is not there is read and never kept.
static inline bytes load(const uint8_t *from) {
  bytes pixel;
  memcpy(&pixel, from, sizeof pixel);
  return pixel;
}

static inline words widen(bytes pixel) { return __builtin_convertvector(pixel, words); }
static inline bytes narrow(words pixel) { return __builtin_convertvector(pixel & 255, bytes); }
static inline words choose(words mask, words one, words other) { return (one & mask) | (other & ~mask); }
static inline words magnitude(words value) { return (value ^ (value >> 15)) - (value >> 15); }

static inline words paeth(words left, words up, words corner) {
  words to_left = up - corner, to_up = left - corner, to_corner = magnitude(to_left + to_up);
  to_left = magnitude(to_left);
  to_up = magnitude(to_up);
  words nearest = choose(to_up < to_corner, to_up, to_corner);
  nearest = choose(to_left < nearest, to_left, nearest);
  return choose(to_left == nearest, left, choose(to_up == nearest, up, corner));
}

// What a pixel is predicted from: its left neighbour, the one above, and the one between them.
enum { SUB = 1, UP, AVERAGE, PAETH };

static inline void pixels(int filter, uint8_t *row, const uint8_t *above, size_t row_bytes, size_t pixel_bytes) {
  words left = {0}, corner = {0};
  bytes raw = load(row);
  for (size_t i = 0; i < row_bytes; i += pixel_bytes) {
    // Read before this pixel is stored, whose fourth byte may be the next one's first.
    bytes next = load(row + i + pixel_bytes);
    words up = widen(load(above + i)), value = widen(raw);
    switch (filter) {
      case SUB: value += left; break;
      case AVERAGE: value += (left + up) >> 1; break;
      default: value += paeth(left, up, corner);
    }
    bytes pixel = narrow(value);
    memcpy(row + i, &pixel, sizeof pixel);
    left = widen(pixel);
    corner = up;
    raw = next;
  }
}

static inline int distance(int from, int to) { return from < to ? to - from : from - to; }

static void small_pixels(int filter, uint8_t *row, const uint8_t *above, size_t row_bytes, size_t pixel_bytes) {
  for (size_t i = 0; i < row_bytes; i++) {
    int left = i < pixel_bytes ? 0 : row[i - pixel_bytes], up = above[i], corner = i < pixel_bytes ? 0 : above[i - pixel_bytes];
    int prediction = left;
    if (filter == AVERAGE) prediction = (left + up) / 2;
    if (filter == PAETH) {
      int guess = left + up - corner, to_left = distance(guess, left), to_up = distance(guess, up), to_corner = distance(guess, corner);
      prediction = to_left <= to_up && to_left <= to_corner ? left : to_up <= to_corner ? up : corner;
    }
    row[i] = (uint8_t)(row[i] + prediction);
  }
}

int cc_png_unfilter(int filter, uint8_t *row, const uint8_t *above, size_t row_bytes, size_t pixel_bytes) {
  switch (filter) {
    case 0:
      return 1;
    case UP:
      for (size_t i = 0; i < row_bytes; i++) row[i] = (uint8_t)(row[i] + above[i]);
      return 1;
    case SUB:
    case AVERAGE:
    case PAETH:
      break;
    default:
      return 0;
  }
  if (pixel_bytes < 3) {
    small_pixels(filter, row, above, row_bytes, pixel_bytes);
    return 1;
  }
  // Each with its own constant, so that nothing is decided within the loop.
  size_t count = pixel_bytes == 3 ? 3 : 4;
  if (filter == SUB) count == 3 ? pixels(SUB, row, above, row_bytes, 3) : pixels(SUB, row, above, row_bytes, 4);
  if (filter == AVERAGE) count == 3 ? pixels(AVERAGE, row, above, row_bytes, 3) : pixels(AVERAGE, row, above, row_bytes, 4);
  if (filter == PAETH) count == 3 ? pixels(PAETH, row, above, row_bytes, 3) : pixels(PAETH, row, above, row_bytes, 4);
  return 1;
}
