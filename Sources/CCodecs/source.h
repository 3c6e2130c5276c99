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
