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

// How a JPEG is to be written.
typedef struct {
  int width, height;
  J_COLOR_SPACE space;  // of the rows or planes that will come
  int components;
  int quality, optimise;
  int subsample;        // store colours at half the width and height; a grey picture has none
  int by_planes;        // strips of planes will come instead of rows
  const uint8_t *profile;
  size_t profile_size, max_bytes;
} cc_jpeg_settings;

// Makes a compressor (*created becomes 1 once it must be destroyed) and writes everything before the pixels. Only below setjmp.
void cc_jpeg_begin(j_compress_ptr cinfo, int *created, cc_jpeg_output *output, const cc_jpeg_settings *settings, const cc_guard *guard);
