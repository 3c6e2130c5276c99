#include "CBytes.h"
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

// Bytes of a JSON string that do not stand for themselves become all ones.
__attribute__((target("avx2"))) static inline __m256i stops(__m256i c) {
  __m256i control = _mm256_cmpeq_epi8(_mm256_min_epu8(c, _mm256_set1_epi8(0x1F)), c);
  __m256i quote = _mm256_cmpeq_epi8(c, _mm256_set1_epi8('"')), backslash = _mm256_cmpeq_epi8(c, _mm256_set1_epi8('\\'));
  return _mm256_or_si256(control, _mm256_or_si256(quote, backslash));
}

__attribute__((target("avx2"))) static size_t plain_wide(const uint8_t *bytes, size_t size, int *high) {
  size_t at = 0;
  __m256i seen = _mm256_setzero_si256();
  for (; size - at >= 64; at += 64) {
    __m256i a = _mm256_loadu_si256((const __m256i *)(bytes + at)), b = _mm256_loadu_si256((const __m256i *)(bytes + at + 32));
    __m256i found = _mm256_or_si256(stops(a), stops(b));
    if (!_mm256_testz_si256(found, found)) break;
    seen = _mm256_or_si256(seen, _mm256_or_si256(a, b));
  }
  if (_mm256_movemask_epi8(seen)) *high = 1;
  return at;
}
#endif

// The top bit of each byte of the answer says whether it is nought; those behind the first such byte may be marked falsely.
static inline uint64_t zeros(uint64_t word) { return (word - 0x0101010101010101) & ~word; }

static size_t plain_words(const uint8_t *bytes, size_t size, int *high) {
  size_t at = 0;
  uint64_t seen = 0;
  for (; size - at >= 64; at += 64) {
    uint64_t found = 0, here = 0;
    for (size_t i = 0; i < 64; i += 8) {
      uint64_t word;
      memcpy(&word, bytes + at + i, 8);
      found |= zeros(word ^ 0x2222222222222222) | zeros(word ^ 0x5C5C5C5C5C5C5C5C) | ((word - 0x2020202020202020) & ~word);
      here |= word;
    }
    if (found & 0x8080808080808080) break;
    seen |= here;
  }
  if (seen & 0x8080808080808080) *high = 1;
  return at;
}

size_t cb_plain_blocks(const uint8_t *bytes, size_t size, int *high) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return plain_wide(bytes, size, high);
#endif
  return plain_words(bytes, size, high);
}
