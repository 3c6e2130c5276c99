#include "CBytes.h"

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

// Thirty-two six-bit values become twenty-four bytes. Writes eight bytes more; the caller gives room.
__attribute__((target("avx2"))) static inline void pack(__m256i six, uint8_t *out) {
  __m256i twelve = _mm256_maddubs_epi16(six, _mm256_set1_epi32(0x01400140));
  __m256i all = _mm256_madd_epi16(twelve, _mm256_set1_epi32(0x00011000));
  all = _mm256_shuffle_epi8(all, _mm256_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1,  //
                                                  2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1));
  all = _mm256_permutevar8x32_epi32(all, _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7));
  _mm256_storeu_si256((__m256i *)out, all);
}

// Text in the standard alphabet alone, by the two halves of its characters: the lookups of Muła and Lemire, "Faster Base64 Encoding and Decoding Using
// AVX2 Instructions" (2018). Each half names the faults it may have part in; a character in whose halves one fault comes together is none of the alphabet.
//   1: upper half 2, lower neither B (+) nor F (/)      2: upper half 3, lower A...F     4: upper half 4 or 6, lower 0
//   8: upper half 5 or 7, lower B...F                  16: any other upper half
__attribute__((target("avx2"))) static size_t decode_standard(const uint8_t *text, size_t size, uint8_t *out) {
  size_t at = 0;
  const __m256i lower = _mm256_setr_epi8(21, 17, 17, 17, 17, 17, 17, 17, 17, 17, 19, 26, 27, 27, 27, 26,  //
                                         21, 17, 17, 17, 17, 17, 17, 17, 17, 17, 19, 26, 27, 27, 27, 26);
  const __m256i upper = _mm256_setr_epi8(16, 16, 1, 2, 4, 8, 4, 8, 16, 16, 16, 16, 16, 16, 16, 16,  //
                                         16, 16, 1, 2, 4, 8, 4, 8, 16, 16, 16, 16, 16, 16, 16, 16);
  // What to add to a character, by its upper half; by 1 for the slash.
  const __m256i offsets = _mm256_setr_epi8(0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0,  //
                                           0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0);
  const __m256i half = _mm256_set1_epi8(15), slash = _mm256_set1_epi8('/');
  for (; size - at >= 32; at += 32, out += 24) {
    __m256i c = _mm256_loadu_si256((const __m256i *)(text + at));
    __m256i high = _mm256_and_si256(_mm256_srli_epi16(c, 4), half), low = _mm256_and_si256(c, half);
    if (!_mm256_testz_si256(_mm256_shuffle_epi8(lower, low), _mm256_shuffle_epi8(upper, high))) break;
    __m256i row = _mm256_add_epi8(high, _mm256_cmpeq_epi8(c, slash));
    pack(_mm256_add_epi8(c, _mm256_shuffle_epi8(offsets, row)), out);
  }
  return at;
}

// Bytes within [low, high] become all ones. Bytes over 127 count as negative and lie in no range.
#define WITHIN(c, low, high) \
  _mm256_and_si256(_mm256_cmpgt_epi8(c, _mm256_set1_epi8((low)-1)), _mm256_cmpgt_epi8(_mm256_set1_epi8((high) + 1), c))

__attribute__((target("avx2"))) static size_t decode_either(const uint8_t *text, size_t size, uint8_t *out, int *url_safe) {
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
    pack(six, out);
  }
  if (_mm256_movemask_epi8(foreign)) *url_safe = 1;
  return at;
}
#endif

void cb_base64_encode(const uint8_t *data, size_t size, uint8_t *out) {
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

size_t cb_base64_decode_groups(const uint8_t *text, size_t size, uint8_t *out, int *url_safe) {
  size_t at = 0;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) {
    at = decode_standard(text, size, out);
    at += decode_either(text + at, size - at, out + at / 4 * 3, url_safe);
  }
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
