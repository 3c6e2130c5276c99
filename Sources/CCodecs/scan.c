#include "CCodecs.h"
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

// How far no 0xFF stands that is not followed by a stuffed zero, in whole blocks. Coded data has such a pair every few hundred bytes.
__attribute__((target("avx2"))) static size_t without_marker(const uint8_t *data, size_t size) {
  size_t at = 0;
  for (; size - at >= 33; at += 32) {
    __m256i here = _mm256_loadu_si256((const __m256i *)(data + at)), next = _mm256_loadu_si256((const __m256i *)(data + at + 1));
    __m256i full = _mm256_cmpeq_epi8(here, _mm256_set1_epi8(-1)), zero = _mm256_cmpeq_epi8(next, _mm256_setzero_si256());
    if (!_mm256_testc_si256(zero, full)) break;
  }
  return at;
}
#endif

size_t cc_scan_end(const uint8_t *data, size_t size, size_t from, int64_t *restarts, int *in_order) {
  size_t at = from;
  while (at < size) {
#if defined(__x86_64__)
    // The byte after the last of a block may be a zero that belongs to it: read again, it is a zero and nothing else.
    if (__builtin_cpu_supports("avx2")) at += without_marker(data + at, size - at);
#endif
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
