#include "source.h"

int cc_planes_alloc(cc_planes *planes, int count, int width, int height) {
  *planes = (cc_planes){.count = count};
  for (int i = 0; i < count; i++) {
    cc_plane *plane = &planes->plane[i];
    plane->width = i ? (width + 1) / 2 : width;
    plane->height = i ? (height + 1) / 2 : height;
    plane->pixels = malloc((size_t)plane->width * (size_t)plane->height);
    if (!plane->pixels) {
      cc_planes_free(planes);
      return 0;
    }
  }
  return 1;
}

void cc_planes_free(cc_planes *planes) {
  for (int i = 0; i < 3; i++) free(planes->plane[i].pixels);
  *planes = (cc_planes){0};
}

cc_status cc_planes_scale(const cc_planes *planes, int width, int height, cc_planes *out) {
  if (!cc_planes_alloc(out, planes->count, width, height)) return CC_TOO_MUCH_MEMORY;
  for (int i = 0; i < planes->count; i++) {
    const cc_plane *from = &planes->plane[i];
    cc_plane *to = &out->plane[i];
    cc_scaler *scaler = cc_scaler_open(from->width, from->height, 1, to->width, to->height);
    if (!scaler) {
      cc_planes_free(out);
      return CC_TOO_MUCH_MEMORY;
    }
    for (int y = 0, written = 0; y < from->height; y++) {
      int next = written < to->height ? written : to->height - 1;
      written += cc_scaler_push(scaler, from->pixels + (size_t)y * (size_t)from->width, to->pixels + (size_t)next * (size_t)to->width);
    }
    cc_scaler_close(scaler);
  }
  return CC_OK;
}
