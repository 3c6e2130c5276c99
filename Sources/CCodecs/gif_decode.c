#include "source.h"
#include <gif_lib.h>

typedef struct {
  cc_source base;
  GifFileType *gif;
  const uint8_t *data;
  size_t size, position;
  int x, y, frame_width, frame_height;
  int transparent;  // palette index, or -1
  uint8_t *indices; // one row of the frame, or the whole frame when it is interlaced
  int interlaced;
  uint8_t palette[256 * 4];
  uint8_t *row;
} gif_source;

static int on_read(GifFileType *gif, GifByteType *out, int count) {
  gif_source *self = gif->UserData;
  size_t left = self->size - self->position;
  size_t taken = (size_t)count < left ? (size_t)count : left;
  memcpy(out, self->data + self->position, taken);
  self->position += taken;
  return (int)taken;
}

static const char *reason(const gif_source *self) {
  return self->position == self->size ? "its data ends too early" : "its data is damaged";
}

static void gif_close(cc_source *base) {
  gif_source *self = (gif_source *)base;
  if (self->gif) DGifCloseFile(self->gif, NULL);
  free(self->indices);
  free(self->row);
  free(self);
}

static cc_status read_interlaced(gif_source *self, const char **detail) {
  static const int first[] = {0, 4, 2, 1}, step[] = {8, 8, 4, 2};
  int lines = 0;
  for (int pass = 0; pass < 4; pass++)
    for (int y = first[pass]; y < self->frame_height; y += step[pass]) {
      if (lines++ % CC_ROWS_PER_CHECK == 0) {
        cc_status status = cc_guard_check(self->base.guard);
        if (status != CC_OK) return status;
      }
      if (DGifGetLine(self->gif, self->indices + (size_t)y * (size_t)self->frame_width, self->frame_width) != GIF_OK) {
        *detail = reason(self);
        return CC_BROKEN;
      }
    }
  return CC_OK;
}

static cc_status gif_next(cc_source *base, const uint8_t **row, const char **detail) {
  gif_source *self = (gif_source *)base;
  int y = base->next_row - self->y, channels = base->facts.channels;
  if (self->interlaced && base->next_row == 0) {
    cc_status status = read_interlaced(self, detail);
    if (status != CC_OK) return status;
  }
  *row = self->row;
  if (y < 0 || y >= self->frame_height) {
    if (y == self->frame_height) memset(self->row, 0, (size_t)base->facts.width * (size_t)channels);
    return CC_OK;
  }
  const uint8_t *indices = self->indices;
  if (self->interlaced) {
    indices += (size_t)y * (size_t)self->frame_width;
  } else if (DGifGetLine(self->gif, self->indices, self->frame_width) != GIF_OK) {
    *detail = reason(self);
    return CC_BROKEN;
  }
  uint8_t *out = self->row + (size_t)self->x * (size_t)channels;
  for (int i = 0; i < self->frame_width; i++, out += channels) memcpy(out, self->palette + 4 * (size_t)indices[i], (size_t)channels);
  return CC_OK;
}

// Walks to the first picture; remembers the transparent colour announced on the way.
static cc_status find_first_frame(gif_source *self, const char **detail) {
  GifRecordType type;
  while (DGifGetRecordType(self->gif, &type) == GIF_OK) {
    if (type == IMAGE_DESC_RECORD_TYPE) {
      if (DGifGetImageDesc(self->gif) == GIF_OK) return CC_OK;
      break;
    }
    if (type != EXTENSION_RECORD_TYPE) {
      *detail = "it holds no picture";
      return CC_BROKEN;
    }
    int code;
    GifByteType *block;
    if (DGifGetExtension(self->gif, &code, &block) != GIF_OK) break;
    int blocks = 0;
    while (block) {
      GraphicsControlBlock control;
      if (blocks == 0 && code == GRAPHICS_EXT_FUNC_CODE && DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK)
        self->transparent = control.TransparentColor;
      if (blocks++ % 1024 == 0) {
        cc_status status = cc_guard_check(self->base.guard);
        if (status != CC_OK) return status;
      }
      if (DGifGetExtensionNext(self->gif, &block) != GIF_OK) {
        *detail = reason(self);
        return CC_BROKEN;
      }
    }
  }
  *detail = reason(self);
  return CC_BROKEN;
}

static void fill_palette(gif_source *self) {
  const ColorMapObject *map = self->gif->Image.ColorMap ? self->gif->Image.ColorMap : self->gif->SColorMap;
  for (int i = 0; i < 256; i++) {
    uint8_t *entry = self->palette + 4 * i;
    if (!map) {
      // Without a palette decoders show grey steps.
      entry[0] = entry[1] = entry[2] = (uint8_t)i;
    } else if (i < map->ColorCount) {
      entry[0] = map->Colors[i].Red;
      entry[1] = map->Colors[i].Green;
      entry[2] = map->Colors[i].Blue;
    }
    entry[3] = 255;
  }
  if (self->transparent >= 0) memset(self->palette + 4 * (self->transparent & 255), 0, 4);
}

cc_status cc_gif_open(const uint8_t *data, size_t size, int64_t max_pixels, int max_side, const cc_guard *guard, cc_source **out,
                      const char **detail) {
  gif_source *self = calloc(1, sizeof *self);
  if (!self) return CC_TOO_MUCH_MEMORY;
  self->base.guard = guard;
  self->base.next = gif_next;
  self->base.close = gif_close;
  self->data = data;
  self->size = size;
  self->transparent = -1;
  int error;
  cc_status status = CC_BROKEN;
  *detail = "its data is damaged";
  self->gif = DGifOpen(self, on_read, &error);
  if (!self->gif) goto failed;
  status = find_first_frame(self, detail);
  if (status != CC_OK) goto failed;

  const GifImageDesc *frame = &self->gif->Image;
  self->x = frame->Left;
  self->y = frame->Top;
  self->frame_width = frame->Width;
  self->frame_height = frame->Height;
  int64_t width = self->gif->SWidth, height = self->gif->SHeight;
  // Viewers let the canvas grow to hold its first picture.
  if (self->x + self->frame_width > width) width = self->x + self->frame_width;
  if (self->y + self->frame_height > height) height = self->y + self->frame_height;
  status = CC_BROKEN;
  if (self->frame_width < 1 || self->frame_height < 1) {
    *detail = "the picture has no width or no height";
    goto failed;
  }
  if (width * height > max_pixels || width > max_side || height > max_side) {
    *detail = "its first frame lies far outside of its canvas";
    goto failed;
  }
  cc_facts *facts = &self->base.facts;
  facts->width = (int)width;
  facts->height = (int)height;
  int covers = self->frame_width == width && self->frame_height == height;
  facts->channels = covers && self->transparent < 0 ? 3 : 4;
  facts->colour = CC_RGB;
  facts->has_few_colours = 1;
  self->interlaced = frame->Interlace;
  fill_palette(self);
  status = CC_TOO_MUCH_MEMORY;
  self->indices = malloc((size_t)self->frame_width * (size_t)(self->interlaced ? self->frame_height : 1));
  self->row = calloc((size_t)width, (size_t)facts->channels);
  if (!self->indices || !self->row) goto failed;
  *out = &self->base;
  return CC_OK;

failed:
  gif_close(&self->base);
  return status;
}
