// The fence around the picture libraries.
//
// libjpeg and libpng report failure by longjmp, which must never cross a Swift frame. Every call into a picture library is made in
// this target; each function below returns a status and has cleaned up or left its object closable. No library text ever leaves:
// `cc_failure.detail` is one of our own constant clauses.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef enum {
  CC_OK = 0,
  CC_BROKEN,       // the data is damaged or ends too early; detail says which
  CC_UNSUPPORTED,  // valid, but of a kind that cannot be decoded; detail says which
  CC_TOO_MANY_SCANS,
  CC_TOO_MUCH_MEMORY,
  CC_TOOK_TOO_LONG,
  CC_CANCELLED,
  CC_OUTPUT_FULL,  // an encoder passed its cap on output bytes
} cc_status;

// What one picture may cost, and who may stop it. Copied by no one: it must outlive every object opened with it.
typedef struct {
  int64_t cpu_deadline_ns;   // on cc_thread_cpu_ns's clock; 0 means none
  int max_scans;             // of a JPEG
  size_t max_memory;         // bytes of pixels and coefficients one codec may hold
  size_t max_chunk_bytes;    // what one compressed PNG side chunk may inflate to
  void *context;             // handed to should_stop
  int (*should_stop)(void *context);  // nonzero stops the work with CC_CANCELLED; may be null
} cc_guard;

// CPU time this thread has used, in nanoseconds.
int64_t cc_thread_cpu_ns(void);
// CC_OK, CC_CANCELLED or CC_TOOK_TOO_LONG.
cc_status cc_guard_check(const cc_guard *guard);

// ---- Decoders: every one of them is a source of rows, top to bottom, 8 bits a channel.

typedef enum { CC_GREY, CC_RGB, CC_YCC } cc_colour;

typedef struct {
  int width, height;    // of the rows that will come
  int channels;         // 1 grey, 2 grey and alpha, 3 colour, 4 colour and alpha (not premultiplied)
  cc_colour colour;
  int was_sixteen_bit;
  int was_gamma_corrected;
  int was_cmyk;
  int has_few_colours;  // it has a palette
  int was_subsampled;   // its colours are stored more coarsely than its brightness
} cc_facts;

typedef struct cc_source cc_source;

// All `open` functions borrow data until cc_source_close, write a source that the caller must close, and write a constant clause to
// *detail when they return CC_BROKEN or CC_UNSUPPORTED.

// eighths: scale by eighths/8 while decoding, 1...8.
cc_status cc_jpeg_open(const uint8_t *data, size_t size, int eighths, const cc_guard *guard, cc_source **out, const char **detail);
// use_gamma: honour the file's gAMA where it differs from sRGB's. trust_crc: skip the check sums (for files we put together).
cc_status cc_png_open(const uint8_t *data, size_t size, int use_gamma, int trust_crc, const cc_guard *guard, cc_source **out,
                      const char **detail);
// data: a RIFF file or one frame's payload. width, height: scale to this while decoding (opaque pictures only); 0 means no scaling.
cc_status cc_webp_open(const uint8_t *data, size_t size, int width, int height, const cc_guard *guard, cc_source **out,
                       const char **detail);
// max_pixels: limit on the canvas, which grows to hold a first frame that reaches beyond it.
cc_status cc_gif_open(const uint8_t *data, size_t size, int64_t max_pixels, int max_side, const cc_guard *guard, cc_source **out,
                      const char **detail);
// Lays a source at (x, y) on a transparent canvas. Takes ownership of inner, whatever it returns. The inner picture must lie within.
cc_status cc_canvas_open(cc_source *inner, int width, int height, int x, int y, cc_source **out);

cc_facts cc_source_facts(const cc_source *source);
// Lends the next row; it stays valid until the next call. Must not be called more than `height` times.
cc_status cc_source_next(cc_source *source, const uint8_t **row, const char **detail);
// Copies a PNG's ICC profile; *size is its length, 0 if there is none. Lent until close.
void cc_source_profile(const cc_source *source, const uint8_t **profile, size_t *size);
void cc_source_close(cc_source *source);

// ---- The JPEG encoder.

typedef enum { CC_IN_GREY, CC_IN_RGB, CC_IN_RGBX, CC_IN_YCC } cc_layout;

typedef struct cc_encoder cc_encoder;

// subsample: store colours at half the width and height. max_bytes: CC_OUTPUT_FULL as soon as the output is longer; 0 means no cap.
// optimise: compute the Huffman tables for this picture (smaller, slower, holds all coefficients).
cc_status cc_encoder_open(int width, int height, cc_layout layout, int quality, int subsample, int optimise,
                          const uint8_t *profile, size_t profile_size, size_t max_bytes, const cc_guard *guard, cc_encoder **out);
cc_status cc_encoder_write(cc_encoder *encoder, const uint8_t *rows, size_t stride, int count);
// Lends the finished file until close.
cc_status cc_encoder_finish(cc_encoder *encoder, const uint8_t **data, size_t *size);
// Bytes of output so far.
size_t cc_encoder_size(const cc_encoder *encoder);
void cc_encoder_close(cc_encoder *encoder);

typedef struct {
  uint64_t visible;           // sum of alpha over the pixels looked at
  uint64_t luminance;         // sum of alpha × luminance (0...255)
  uint64_t transparent_rows;  // rows that are not fully opaque
} cc_alpha_stats;

// ---- JPEG and lossy WebP to JPEG by planes.

typedef struct {
  int width, height;
  uint8_t *pixels;  // packed
} cc_plane;

// Brightness, and unless the picture is grey two colour planes of half the width and height, rounded up.
typedef struct {
  int count;
  cc_plane plane[3];
} cc_planes;

// Reads a grey or YCbCr JPEG into planes of a size. CC_UNSUPPORTED if it is neither, or stores its colours more coarsely than that.
cc_status cc_jpeg_read_planes(const uint8_t *data, size_t size, int eighths, int width, int height, const cc_guard *guard,
                              cc_planes *out, const char **detail);

// A lossy WebP being read into planes of a size, not larger than its own. Borrows data until it is closed. CC_UNSUPPORTED if it is lossless.
typedef struct cc_webp_reader cc_webp_reader;
cc_status cc_webp_reader_open(const uint8_t *data, size_t size, int width, int height, const cc_guard *guard, cc_webp_reader **out,
                              const char **detail);
// Counts over the first rows what the choice of a background needs; nothing in an opaque picture.
cc_status cc_webp_reader_look(cc_webp_reader *reader, cc_alpha_stats *stats, const char **detail);
// Reads the rest. background: the colour for what is transparent, as brightness and two colours of JPEG. Counts over all rows.
cc_status cc_webp_reader_finish(cc_webp_reader *reader, const uint8_t background[3], cc_planes *out, cc_alpha_stats *stats,
                                const char **detail);
void cc_webp_reader_close(cc_webp_reader *reader);

cc_status cc_planes_scale(const cc_planes *planes, int width, int height, cc_planes *out);
// Encodes planes turned upright. With CC_OUTPUT_FULL *size is an estimate of what the whole would have been. *out is malloc'ed.
cc_status cc_planes_encode(const cc_planes *planes, int orientation, int quality, int optimise, const uint8_t *profile,
                           size_t profile_size, size_t max_bytes, const cc_guard *guard, uint8_t **out, size_t *size);
void cc_planes_free(cc_planes *planes);

// ---- Lossless turning of a JPEG.

// Moves the coded blocks so that a picture of that EXIF orientation (2...8) stands upright. CC_UNSUPPORTED if its block grid does not
// allow it without loss. tight: always compute code tables for the turned picture. *out is malloc'ed; free it with cc_free.
cc_status cc_jpeg_turn(const uint8_t *data, size_t size, int orientation, int tight, const uint8_t *profile, size_t profile_size,
                       const cc_guard *guard, uint8_t **out, size_t *out_size, const char **detail);
void cc_free(void *pointer);

// ---- Pixels.

// Whether every alpha byte of a row (channels 2 or 4) is 255.
int cc_row_is_opaque(const uint8_t *row, int width, int channels);
// Counts what the choice of a background needs; wide rows are sampled.
void cc_alpha_count(const uint8_t *row, int width, int channels, int opaque, cc_alpha_stats *stats);
// Blends a row onto one colour: 4 channels to RGBX, 2 channels to grey (needs a grey background) or to RGB.
void cc_flatten(const uint8_t *in, int width, int channels, const uint8_t background[3], int to_grey, uint8_t *out);
// Drops the fourth byte of every pixel.
void cc_pack_rgb(const uint8_t *rgbx, int width, uint8_t *rgb);

// Counts distinct colours and equal neighbours in sampled pixels.
typedef struct {
  uint64_t pixels, equal_neighbours;
  uint32_t distinct;           // stops at CC_CENSUS_MAX
  uint32_t table[8192];        // open hash of colour + 1
} cc_census;
#define CC_CENSUS_MAX 4096
void cc_census_row(cc_census *census, const uint8_t *row, int width, int channels);

// Area scaler, downwards only: every output pixel is the mean of the area it covers.
typedef struct cc_scaler cc_scaler;
// channels in: 1, 3 or 4 (RGBX); channels out: 1 or 3. Null when out of memory.
cc_scaler *cc_scaler_open(int in_width, int in_height, int channels, int out_width, int out_height);
// Takes one row; returns how many output rows are complete (0 or 1) and writes the row to out.
int cc_scaler_push(cc_scaler *scaler, const uint8_t *row, uint8_t *out);
void cc_scaler_close(cc_scaler *scaler);

// Gathers `count` output rows from `first` on of a picture turned upright by an EXIF orientation (1...8). pixels: width × height as stored, packed.
void cc_turn_rows(const uint8_t *pixels, int width, int height, int channels, int orientation, int first, int count, uint8_t *out);

// ---- Bytes.

// The first position at or after `from` of a 0xFF byte that begins a marker other than a stuffed zero or RST0...RST7, else size.
// Counts the RST markers passed; *in_order becomes 0 when they do not count 0 to 7 in turn, beginning at 0.
size_t cc_scan_end(const uint8_t *data, size_t size, size_t from, int64_t *restarts, int *in_order);
