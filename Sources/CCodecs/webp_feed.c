#include "webp_feed.h"
#include <sys/mman.h>

// How much of the file is shown to the decoder at a time.
#define STEP (48 << 10)
// Memory is given back once it fills this many bytes.
#define RELEASE (1 << 20)

cc_status cc_webp_feed_step(cc_webp_feed *feed, const cc_guard *guard, const char **detail) {
  cc_status status = cc_guard_check(guard);
  if (status != CC_OK) return status;
  if (feed->shown == feed->size) {
    *detail = "its data ends too early";
    return CC_BROKEN;
  }
  feed->shown = feed->size - feed->shown > STEP ? feed->shown + STEP : feed->size;
  switch (WebPIUpdate(feed->decoder, feed->data, feed->shown)) {
    case VP8_STATUS_OK:
      feed->done = 1;
      return CC_OK;
    case VP8_STATUS_SUSPENDED:
      return CC_OK;
    case VP8_STATUS_OUT_OF_MEMORY:
      return CC_TOO_MUCH_MEMORY;
    default:
      *detail = "its data is damaged";
      return CC_BROKEN;
  }
}

int cc_window_open(cc_window *window, size_t size) {
  void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  *window = (cc_window){0};
  if (bytes == MAP_FAILED) return 0;
  *window = (cc_window){.bytes = bytes, .size = size};
  return 1;
}

void cc_window_release(cc_window *window, size_t offset) {
  if (offset - window->released <= 2 * RELEASE) return;
  size_t count = (offset - window->released) / RELEASE * RELEASE - RELEASE;
  madvise(window->bytes + window->released, count, MADV_DONTNEED);
  window->released += count;
}

void cc_window_close(cc_window *window) {
  if (window->bytes) munmap(window->bytes, window->size);
  *window = (cc_window){0};
}
