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

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx2"))) static size_t encode_wide(const uint8_t *data, size_t size, uint8_t *out) {
  size_t at = 0;
  const __m256i spread = _mm256_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10,  //
                                          1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10);
  // By class of a six-bit value: what to add to it. 0: a...z, 1...10: digits, 11: plus, 12: slash, 13: A...Z.
  const __m256i offsets = _mm256_setr_epi8(71, -4, -4, -4, -4, -4, -4, -4, -4, -4, -4, -19, -16, 65, 0, 0,  //
                                           71, -4, -4, -4, -4, -4, -4, -4, -4, -4, -4, -19, -16, 65, 0, 0);
  for (; size - at >= 32; at += 24, out += 32) {
    __m128i low = _mm_loadu_si128((const __m128i *)(data + at)), high = _mm_loadu_si128((const __m128i *)(data + at + 12));
    __m256i in = _mm256_shuffle_epi8(_mm256_set_m128i(high, low), spread);
    __m256i a = _mm256_mulhi_epu16(_mm256_and_si256(in, _mm256_set1_epi32(0x0fc0fc00)), _mm256_set1_epi32(0x04000040));
    __m256i b = _mm256_mullo_epi16(_mm256_and_si256(in, _mm256_set1_epi32(0x003f03f0)), _mm256_set1_epi32(0x01000010));
    __m256i six = _mm256_or_si256(a, b);
    __m256i class = _mm256_subs_epu8(six, _mm256_set1_epi8(51));
    __m256i capital = _mm256_cmpgt_epi8(_mm256_set1_epi8(26), six);
    class = _mm256_or_si256(class, _mm256_and_si256(capital, _mm256_set1_epi8(13)));
    _mm256_storeu_si256((__m256i *)out, _mm256_add_epi8(six, _mm256_shuffle_epi8(offsets, class)));
  }
  return at;
}

// Bytes within [low, high] become all ones. Bytes over 127 count as negative and lie in no range.
#define WITHIN(c, low, high) \
  _mm256_and_si256(_mm256_cmpgt_epi8(c, _mm256_set1_epi8((low)-1)), _mm256_cmpgt_epi8(_mm256_set1_epi8((high) + 1), c))

__attribute__((target("avx2"))) static size_t decode_wide(const uint8_t *text, size_t size, uint8_t *out, int *url_safe) {
  size_t at = 0;
  __m256i foreign = _mm256_setzero_si256();
  for (; size - at >= 32; at += 32, out += 24) {
    __m256i c = _mm256_loadu_si256((const __m256i *)(text + at));
    __m256i upper = WITHIN(c, 'A', 'Z'), lower = WITHIN(c, 'a', 'z'), digit = WITHIN(c, '0', '9');
    __m256i minus = _mm256_cmpeq_epi8(c, _mm256_set1_epi8('-')), low_line = _mm256_cmpeq_epi8(c, _mm256_set1_epi8('_'));
    __m256i plus = _mm256_or_si256(_mm256_cmpeq_epi8(c, _mm256_set1_epi8('+')), minus);
    __m256i slash = _mm256_or_si256(_mm256_cmpeq_epi8(c, _mm256_set1_epi8('/')), low_line);
    foreign = _mm256_or_si256(foreign, _mm256_or_si256(minus, low_line));
    __m256i letters = _mm256_or_si256(upper, _mm256_or_si256(lower, digit));
    __m256i valid = _mm256_or_si256(letters, _mm256_or_si256(plus, slash));
    if (_mm256_movemask_epi8(valid) != -1) break;
    __m256i offset = _mm256_or_si256(_mm256_and_si256(upper, _mm256_set1_epi8(-65)),
                                     _mm256_or_si256(_mm256_and_si256(lower, _mm256_set1_epi8(-71)),
                                                     _mm256_and_si256(digit, _mm256_set1_epi8(4))));
    __m256i six = _mm256_and_si256(letters, _mm256_add_epi8(c, offset));
    six = _mm256_or_si256(six, _mm256_or_si256(_mm256_and_si256(plus, _mm256_set1_epi8(62)),
                                               _mm256_and_si256(slash, _mm256_set1_epi8(63))));
    __m256i twelve = _mm256_maddubs_epi16(six, _mm256_set1_epi32(0x01400140));
    __m256i all = _mm256_madd_epi16(twelve, _mm256_set1_epi32(0x00011000));
    all = _mm256_shuffle_epi8(all, _mm256_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1,  //
                                                    2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1));
    all = _mm256_permutevar8x32_epi32(all, _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7));
    _mm256_storeu_si256((__m256i *)out, all);  // eight bytes more than count; the caller gives room
  }
  if (_mm256_movemask_epi8(foreign)) *url_safe = 1;
  return at;
}
#endif

void cc_base64_encode(const uint8_t *data, size_t size, uint8_t *out) {
  size_t at = 0;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) at = encode_wide(data, size, out);
  out += at / 3 * 4;
#endif
  for (; size - at >= 3; at += 3) {
    uint32_t group = (uint32_t)data[at] << 16 | (uint32_t)data[at + 1] << 8 | data[at + 2];
    *out++ = (uint8_t)alphabet[group >> 18];
    *out++ = (uint8_t)alphabet[group >> 12 & 63];
    *out++ = (uint8_t)alphabet[group >> 6 & 63];
    *out++ = (uint8_t)alphabet[group & 63];
  }
  if (at == size) return;
  uint32_t group = (uint32_t)data[at] << 16 | (size - at > 1 ? (uint32_t)data[at + 1] << 8 : 0);
  *out++ = (uint8_t)alphabet[group >> 18];
  *out++ = (uint8_t)alphabet[group >> 12 & 63];
  *out++ = size - at > 1 ? (uint8_t)alphabet[group >> 6 & 63] : '=';
  *out++ = '=';
}

// The six bits a character stands for in either alphabet, or 64.
static inline uint32_t six_bits(uint8_t c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26u;
  if (c >= '0' && c <= '9') return c - '0' + 52u;
  if (c == '+' || c == '-') return 62;
  if (c == '/' || c == '_') return 63;
  return 64;
}

size_t cc_base64_decode_groups(const uint8_t *text, size_t size, uint8_t *out, int *url_safe) {
  size_t at = 0;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) at = decode_wide(text, size, out, url_safe);
  out += at / 4 * 3;
#endif
  for (; size - at >= 4; at += 4) {
    uint32_t a = six_bits(text[at]), b = six_bits(text[at + 1]), c = six_bits(text[at + 2]), d = six_bits(text[at + 3]);
    if ((a | b | c | d) & 64) break;
    for (size_t i = at; i < at + 4; i++)
      if (text[i] == '-' || text[i] == '_') *url_safe = 1;
    *out++ = (uint8_t)(a << 2 | b >> 4);
    *out++ = (uint8_t)(b << 4 | c >> 2);
    *out++ = (uint8_t)(c << 6 | d);
  }
  return at;
}
