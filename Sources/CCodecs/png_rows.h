// The rows of the usual PNG: eight bits a channel, not interlaced, nothing to convert. Private to this target.
//
// libpng undoes the rows' filters one byte at a time as Debian builds it, which is half of all the work on a photograph. So its header
// parser is used, and for these rows nothing else of it.
#pragma once
#include "source.h"
#include <zlib.h>

typedef struct {
  const uint8_t *data;
  size_t size, position;  // of the next chunk
  int trust_crc;
  z_stream stream;
  int opened, ended;      // of the stream
  size_t row_bytes, pixel_bytes;
  int rows_left;
  uint8_t *memory;
  uint8_t *row, *above;   // each with its filter byte before it and room behind it
} cc_png_rows;

// at: the first IDAT chunk's length field. rows must be zero and is to be closed in any case.
cc_status cc_png_rows_open(cc_png_rows *rows, const uint8_t *data, size_t size, size_t at, int trust_crc, size_t row_bytes,
                           size_t pixel_bytes, int height);
// Lends the next row until the next call. With the last one the stream's end is looked for.
cc_status cc_png_rows_next(cc_png_rows *rows, const uint8_t **row, const char **detail);
void cc_png_rows_close(cc_png_rows *rows);

// Undoes one row's filter in place (PNG 1.2 §6). Both rows may be read and written up to CC_PNG_ROOM bytes beyond their end.
// 0 if there is no such filter.
int cc_png_unfilter(int filter, uint8_t *row, const uint8_t *above, size_t row_bytes, size_t pixel_bytes);
#define CC_PNG_ROOM 8
