// What the decoders share. Private to this target.
#pragma once
#include "CCodecs.h"
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

struct cc_source {
  cc_facts facts;
  const cc_guard *guard;
  int next_row;
  const uint8_t *profile;
  size_t profile_size;
  cc_status (*next)(cc_source *source, const uint8_t **row, const char **detail);
  void (*close)(cc_source *source);
};

// How many rows go by between two looks at the clock.
#define CC_ROWS_PER_CHECK 16

// 0 when out of memory.
int cc_planes_alloc(cc_planes *planes, int count, int width, int height);
// How many pixels of a row of that width one is counted for, when transparency is counted.
int cc_alpha_step(int width);
