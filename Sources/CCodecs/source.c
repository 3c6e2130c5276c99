#include "source.h"
#include <time.h>

int64_t cc_thread_cpu_ns(void) {
  struct timespec now;
  if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) != 0) return 0;
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

cc_status cc_guard_check(const cc_guard *guard) {
  if (guard->should_stop && guard->should_stop(guard->context)) return CC_CANCELLED;
  if (guard->cpu_deadline_ns && cc_thread_cpu_ns() > guard->cpu_deadline_ns) return CC_TOOK_TOO_LONG;
  return CC_OK;
}

cc_facts cc_source_facts(const cc_source *source) { return source->facts; }

cc_status cc_source_next(cc_source *source, const uint8_t **row, const char **detail) {
  if (source->next_row >= source->facts.height) {
    *detail = "it has fewer rows than asked for";
    return CC_BROKEN;
  }
  if (source->next_row % CC_ROWS_PER_CHECK == 0) {
    cc_status status = cc_guard_check(source->guard);
    if (status != CC_OK) return status;
  }
  cc_status status = source->next(source, row, detail);
  if (status == CC_OK) source->next_row++;
  return status;
}

void cc_source_profile(const cc_source *source, const uint8_t **profile, size_t *size) {
  *profile = source->profile;
  *size = source->profile_size;
}

void cc_source_close(cc_source *source) {
  if (source) source->close(source);
}

void cc_free(void *pointer) { free(pointer); }

// ---- Canvas

typedef struct {
  cc_source base;
  cc_source *inner;
  int x, y;
  uint8_t *row;
} canvas_source;

static cc_status canvas_next(cc_source *base, const uint8_t **row, const char **detail) {
  canvas_source *self = (canvas_source *)base;
  const cc_facts *inner = &self->inner->facts;
  int y = base->next_row;
  *row = self->row;
  if (y < self->y || y >= self->y + inner->height) {
    if (y == 0 || y == self->y + inner->height) memset(self->row, 0, (size_t)base->facts.width * 4);
    return CC_OK;
  }
  const uint8_t *in;
  cc_status status = cc_source_next(self->inner, &in, detail);
  if (status != CC_OK) return status;
  uint8_t *out = self->row + (size_t)self->x * 4;
  int width = inner->width;
  switch (inner->channels) {
    case 1:
      for (int i = 0; i < width; i++, in++, out += 4) out[0] = out[1] = out[2] = in[0], out[3] = 255;
      break;
    case 2:
      for (int i = 0; i < width; i++, in += 2, out += 4) out[0] = out[1] = out[2] = in[0], out[3] = in[1];
      break;
    case 3:
      for (int i = 0; i < width; i++, in += 3, out += 4) out[0] = in[0], out[1] = in[1], out[2] = in[2], out[3] = 255;
      break;
    default:
      memcpy(out, in, (size_t)width * 4);
  }
  return CC_OK;
}

static void canvas_close(cc_source *base) {
  canvas_source *self = (canvas_source *)base;
  cc_source_close(self->inner);
  free(self->row);
  free(self);
}

cc_status cc_canvas_open(cc_source *inner, int width, int height, int x, int y, cc_source **out) {
  canvas_source *self = calloc(1, sizeof *self);
  uint8_t *row = self ? calloc((size_t)width, 4) : NULL;
  if (!row) {
    free(self);
    cc_source_close(inner);
    return CC_TOO_MUCH_MEMORY;
  }
  self->base = (cc_source){.facts = inner->facts, .guard = inner->guard, .next = canvas_next, .close = canvas_close};
  self->base.profile = inner->profile;
  self->base.profile_size = inner->profile_size;
  self->base.facts.width = width;
  self->base.facts.height = height;
  self->base.facts.channels = 4;
  self->base.facts.colour = CC_RGB;
  self->inner = inner;
  self->x = x;
  self->y = y;
  self->row = row;
  *out = &self->base;
  return CC_OK;
}
