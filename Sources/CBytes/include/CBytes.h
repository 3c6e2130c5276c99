// Loops over bytes of bodies and pictures, in vectors where the processor has them.
#pragma once
#include <stddef.h>
#include <stdint.h>

// How many bytes, in whole blocks of 64, stand for themselves in a JSON string: none is a quote, a backslash or a control character.
// *high becomes 1 if one of them is not ASCII.
size_t cb_plain_blocks(const uint8_t *bytes, size_t size, int *high);

// out must hold (size + 2) / 3 * 4 bytes.
void cb_base64_encode(const uint8_t *data, size_t size, uint8_t *out);
// Decodes as many whole groups of 4 characters as are free of anything but the two alphabets; returns characters consumed (a multiple of 4).
// out must hold size / 4 * 3 + 32 bytes. *url_safe becomes 1 if there was a '-' or a '_'.
size_t cb_base64_decode_groups(const uint8_t *text, size_t size, uint8_t *out, int *url_safe);
