#include "CCodecs.h"
#include <string.h>

size_t cc_scan_end(const uint8_t *data, size_t size, size_t from, int64_t *restarts, int *in_order) {
  size_t at = from;
  while (at < size) {
    const uint8_t *found = memchr(data + at, 0xFF, size - at);
    if (!found) return size;
    at = (size_t)(found - data);
    if (at + 1 >= size) return size;
    uint8_t code = data[at + 1];
    if (code == 0) {
      at += 2;
    } else if (code >= 0xD0 && code <= 0xD7) {
      if (code != 0xD0 + *restarts % 8) *in_order = 0;
      (*restarts)++;
      at += 2;
    } else if (code == 0xFF) {
      at += 1;  // fill byte
    } else {
      return at;
    }
  }
  return size;
}
