// libjpeg's error handling behind setjmp, shared by decoder, encoder and turner. Private to this target.
#pragma once
#include "source.h"
#include <stdio.h>
#include <jpeglib.h>
#include <jerror.h>

typedef struct {
  struct jpeg_error_mgr manager;  // first, so that libjpeg's pointer to it is a pointer to us
  jmp_buf jump;
  cc_status status;
  const char *detail;
} cc_jpeg_error;

struct jpeg_error_mgr *cc_jpeg_error_init(cc_jpeg_error *error);
// Leaves the library with a status. Only below an armed setjmp.
_Noreturn void cc_jpeg_fail(j_common_ptr cinfo, cc_status status, const char *detail);

typedef struct {
  struct jpeg_progress_mgr manager;
  const cc_guard *guard;
  int calls;
} cc_jpeg_progress;

// Hooks the guard into a decompressor or compressor: scans, time, cancellation.
void cc_jpeg_watch(j_common_ptr cinfo, cc_jpeg_progress *progress, const cc_guard *guard);

// Where an encoder writes to: memory that grows. libjpeg's own jpeg_mem_dest leaves its caller a freed pointer when it fails half way.
typedef struct {
  struct jpeg_destination_mgr manager;
  uint8_t *data;      // malloc'ed; the owner frees it
  size_t size;        // valid once the picture is finished
  size_t capacity, max_bytes;
} cc_jpeg_output;

// Makes `output` the destination of cinfo. max_bytes: fail with CC_OUTPUT_FULL once there is more; 0 means no cap. Only below setjmp.
void cc_jpeg_write_to(j_compress_ptr cinfo, cc_jpeg_output *output, size_t capacity, size_t max_bytes);
