// The bare library calls that a picture needs at least: decode with libpng, libwebp or TurboJPEG, encode with TurboJPEG.
// No checks, no orientation, no background, no limits: what any normaliser's figures are compared with.
//
//   baseline FILE [EDGE [RUNS [QUALITY]]]
//
// With EDGE, JPEG is scaled by TurboJPEG and WebP by libwebp to the nearest size they offer that is not larger than EDGE;
// PNG, whose library cannot scale, is averaged over whole blocks of pixels.
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <turbojpeg.h>
#include <webp/decode.h>

static double cpu_ms(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

typedef struct {
  unsigned char *pixels;
  int width, height, format;
} picture;

typedef struct {
  const unsigned char *data;
  size_t at;
} reader;

static void on_read(png_structp png, png_bytep out, size_t count) {
  reader *r = png_get_io_ptr(png);
  memcpy(out, r->data + r->at, count);
  r->at += count;
}

static picture decode_png(const unsigned char *data) {
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
  png_infop info = png_create_info_struct(png);
  reader r = {data, 0};
  png_set_read_fn(png, &r, on_read);
  png_read_info(png, info);
  png_set_expand(png);
  png_set_scale_16(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  picture p = {NULL, (int)png_get_image_width(png, info), (int)png_get_image_height(png, info), 0};
  int channels = png_get_channels(png, info);
  p.format = channels == 1 ? TJPF_GRAY : channels == 3 ? TJPF_RGB : TJPF_RGBA;
  size_t stride = png_get_rowbytes(png, info);
  p.pixels = malloc(stride * (size_t)p.height);
  for (int y = 0; y < p.height; y++) png_read_row(png, p.pixels + stride * (size_t)y, NULL);
  png_destroy_read_struct(&png, &info, NULL);
  return p;
}

static picture decode_webp(const unsigned char *data, size_t size, int edge) {
  WebPDecoderConfig config;
  WebPInitDecoderConfig(&config);
  WebPGetFeatures(data, size, &config.input);
  int width = config.input.width, height = config.input.height, longest = width > height ? width : height;
  if (edge && longest > edge) {
    config.options.use_scaling = 1;
    config.options.scaled_width = (int)((long)width * edge / longest);
    config.options.scaled_height = (int)((long)height * edge / longest);
  }
  config.output.colorspace = config.input.has_alpha ? MODE_RGBA : MODE_RGB;
  WebPDecode(data, size, &config);
  return (picture){config.output.u.RGBA.rgba, config.output.width, config.output.height, config.input.has_alpha ? TJPF_RGBA : TJPF_RGB};
}

static picture decode_jpeg(const unsigned char *data, size_t size, int edge) {
  tjhandle handle = tjInitDecompress();
  int width, height, subsampling, colours;
  tjDecompressHeader3(handle, data, (unsigned long)size, &width, &height, &subsampling, &colours);
  tjscalingfactor scale = {1, 1};
  if (edge) {
    int count;
    tjscalingfactor *factors = tjGetScalingFactors(&count), *best = NULL;
    for (int i = 0; i < count; i++) {
      int w = TJSCALED(width, factors[i]), h = TJSCALED(height, factors[i]);
      if (factors[i].num <= factors[i].denom && w <= edge && h <= edge && (!best || w > TJSCALED(width, (*best)))) best = &factors[i];
    }
    if (best) scale = *best;
  }
  picture p = {NULL, TJSCALED(width, scale), TJSCALED(height, scale), TJPF_RGB};
  p.pixels = malloc((size_t)p.width * (size_t)p.height * 3);
  tjDecompress2(handle, data, (unsigned long)size, p.pixels, p.width, 0, p.height, TJPF_RGB, 0);
  tjDestroy(handle);
  return p;
}

// The plainest shrinking there is: mean over k × k pixels.
static void shrink(picture *p, int edge) {
  int longest = p->width > p->height ? p->width : p->height, k = (longest + edge - 1) / edge, c = tjPixelSize[p->format];
  if (k < 2) return;
  int w = p->width / k, h = p->height / k;
  unsigned *sums = malloc(sizeof *sums * (size_t)w * (size_t)c);
  for (int y = 0; y < h; y++) {
    memset(sums, 0, sizeof *sums * (size_t)w * (size_t)c);
    for (int j = 0; j < k; j++) {
      const unsigned char *in = p->pixels + ((size_t)y * (size_t)k + (size_t)j) * (size_t)p->width * (size_t)c;
      for (int x = 0; x < w; x++)
        for (int i = 0; i < k; i++)
          for (int n = 0; n < c; n++) sums[x * c + n] += *in++;
    }
    for (int x = 0; x < w * c; x++) p->pixels[(size_t)y * (size_t)w * (size_t)c + (size_t)x] = (unsigned char)(sums[x] / (unsigned)(k * k));
  }
  free(sums);
  p->width = w;
  p->height = h;
}

static int compare(const void *a, const void *b) { return *(const double *)a < *(const double *)b ? -1 : 1; }

int main(int count, char **words) {
  if (count < 2) return 2;
  int edge = count > 2 ? atoi(words[2]) : 0, runs = count > 3 ? atoi(words[3]) : 1, quality = count > 4 ? atoi(words[4]) : 85;
  FILE *file = fopen(words[1], "rb");
  if (!file) return 2;
  fseek(file, 0, SEEK_END);
  size_t size = (size_t)ftell(file);
  rewind(file);
  unsigned char *data = malloc(size);
  if (fread(data, 1, size, file) != size) return 2;
  double *times = malloc(sizeof *times * (size_t)runs);
  unsigned long written = 0;
  picture p = {0};
  for (int run = 0; run < runs; run++) {
    double before = cpu_ms();
    if (data[0] == 0xFF)
      p = decode_jpeg(data, size, edge);
    else if (data[0] == 'R')
      p = decode_webp(data, size, edge);
    else {
      p = decode_png(data);
      if (edge) shrink(&p, edge);
    }
    tjhandle handle = tjInitCompress();
    unsigned char *jpeg = NULL;
    tjCompress2(handle, p.pixels, p.width, 0, p.height, p.format, &jpeg, &written, p.format == TJPF_GRAY ? TJSAMP_GRAY : TJSAMP_420, quality, 0);
    tjFree(jpeg);
    tjDestroy(handle);
    free(p.pixels);
    times[run] = cpu_ms() - before;
  }
  qsort(times, (size_t)runs, sizeof *times, compare);
  printf("cpu_ms=%.3f width=%d height=%d bytes=%lu\n", times[runs / 2], p.width, p.height, written);
  return 0;
}
