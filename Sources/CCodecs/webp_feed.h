// What both ways of reading a WebP share. Private to this target.
#pragma once
#include "source.h"
#include <webp/decode.h>

// A file shown to libwebp's incremental decoder piece by piece. Rows come out in between, so that they can be used and given back early.
typedef struct {
  WebPIDecoder *decoder;
  const uint8_t *data;
  size_t size, shown;
  int done;  // the last row has been written
} cc_webp_feed;

// Shows the decoder one more piece.
cc_status cc_webp_feed_step(cc_webp_feed *feed, const cc_guard *guard, const char **detail);

// Memory whose beginning can be given back to the system while its end is still being written.
typedef struct {
  uint8_t *bytes;
  size_t size, released;
} cc_window;

// 0 when out of memory.
int cc_window_open(cc_window *window, size_t size);
// Says that nothing before an offset is needed any more.
void cc_window_release(cc_window *window, size_t offset);
void cc_window_close(cc_window *window);
