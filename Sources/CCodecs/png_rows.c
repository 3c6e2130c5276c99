#include "png_rows.h"

static uint32_t big_endian(const uint8_t *at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

cc_status cc_png_rows_open(cc_png_rows *self, const uint8_t *data, size_t size, size_t at, int trust_crc, size_t row_bytes,
                           size_t pixel_bytes, int height) {
  self->data = data;
  self->size = size;
  self->position = at;
  self->trust_crc = trust_crc;
  self->row_bytes = row_bytes;
  self->pixel_bytes = pixel_bytes;
  self->rows_left = height;
  size_t line = 1 + row_bytes + CC_PNG_ROOM;
  self->memory = calloc(2, line);  // above the first row there are zeros
  if (!self->memory || inflateInit(&self->stream) != Z_OK) return CC_TOO_MUCH_MEMORY;
  self->opened = 1;
  self->row = self->memory + 1;
  self->above = self->memory + line + 1;
  return CC_OK;
}

void cc_png_rows_close(cc_png_rows *self) {
  if (self->opened) inflateEnd(&self->stream);
  free(self->memory);
}

static cc_status broken(const char **detail, const char *why) {
  *detail = why;
  return CC_BROKEN;
}

static const char *const ends = "its data ends too early", *const damaged = "its data is damaged";

// Hands the next IDAT chunk to the decompressor.
static cc_status next_chunk(cc_png_rows *self, const char **detail) {
  size_t left = self->size - self->position;
  const uint8_t *chunk = self->data + self->position;
  if (left < 12 || big_endian(chunk) > left - 12 || memcmp(chunk + 4, "IDAT", 4) != 0) return broken(detail, ends);
  uint32_t length = big_endian(chunk);
  if (!self->trust_crc && crc32(0, chunk + 4, length + 4) != big_endian(chunk + 8 + length)) return broken(detail, damaged);
  self->stream.next_in = (Bytef *)(uintptr_t)(chunk + 8);
  self->stream.avail_in = length;
  self->position += 12 + (size_t)length;
  return CC_OK;
}

// Decompresses until `count` bytes are there or the stream has ended; *missing is what did not come.
static cc_status decompress(cc_png_rows *self, uint8_t *out, size_t count, size_t *missing, const char **detail) {
  z_stream *stream = &self->stream;
  stream->next_out = out;
  stream->avail_out = (uInt)count;
  while (stream->avail_out > 0 && !self->ended) {
    if (stream->avail_in == 0) {
      cc_status status = next_chunk(self, detail);
      if (status != CC_OK) return status;
      continue;
    }
    int code = inflate(stream, Z_NO_FLUSH);
    if (code == Z_STREAM_END)
      self->ended = 1;
    else if (code == Z_MEM_ERROR)
      return CC_TOO_MUCH_MEMORY;
    else if (code != Z_OK)
      return broken(detail, damaged);
  }
  *missing = stream->avail_out;
  return CC_OK;
}

cc_status cc_png_rows_next(cc_png_rows *self, const uint8_t **row, const char **detail) {
  uint8_t *fresh = self->above;
  self->above = self->row;
  self->row = fresh;
  size_t missing;
  cc_status status = decompress(self, fresh - 1, self->row_bytes + 1, &missing, detail);
  if (status != CC_OK) return status;
  if (missing > 0) return broken(detail, ends);
  if (!cc_png_unfilter(fresh[-1], fresh, self->above, self->row_bytes, self->pixel_bytes)) return broken(detail, damaged);
  *row = fresh;
  if (--self->rows_left > 0) return CC_OK;
  // The stream's own end and check sum follow the last row. More pixels than there are rows for have never hurt anyone.
  uint8_t more;
  return decompress(self, &more, 1, &missing, detail);
}
