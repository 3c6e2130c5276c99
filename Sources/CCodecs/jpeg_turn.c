// Turning a JPEG by moving its coded blocks.
//
// jpegtran and tjTransform hold the picture's coefficients twice, before and after. Here the turned blocks are made row by row when
// the encoder asks for them, so a 12-megapixel photo needs 36 MB, not 72.
#include "jpeg_error.h"

typedef struct turner turner;

// What the encoder believes to be a component's array of blocks.
typedef struct {
  turner *owner;
  int component;
  JBLOCKARRAY rows;
} turned_array;

struct turner {
  struct jpeg_decompress_struct in;
  struct jpeg_compress_struct out;
  cc_jpeg_error error;
  cc_jpeg_progress progress_in, progress_out;
  int in_created, out_created;
  int swaps, mirrors, flips;  // transpose first, then mirror left-right, then top-bottom
  jvirt_barray_ptr *arrays;
  turned_array turned[MAX_COMPONENTS];
  cc_jpeg_output output;
};

typedef JCOEF row __attribute__((vector_size(16)));  // a block's eight coefficients of one vertical frequency

#define UNPACK_LOW(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define UNPACK_HIGH(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)

static void transpose(row r[DCTSIZE]) {
  row t[DCTSIZE];
  for (int step = 0; step < 3; step++) {
    for (int i = 0; i < 4; i++) {
      t[2 * i] = UNPACK_LOW(r[i], r[i + 4]);
      t[2 * i + 1] = UNPACK_HIGH(r[i], r[i + 4]);
    }
    memcpy(r, t, sizeof t);
  }
}

static void copy_block(const JCOEF *in, JCOEF *out, int swaps, int mirrors, int flips) {
  row r[DCTSIZE];
  memcpy(r, in, sizeof r);
  if (swaps) transpose(r);
  // Mirroring negates the odd horizontal frequencies, flipping the odd vertical ones.
  const row odd = {0, -1, 0, -1, 0, -1, 0, -1};
  const row mask = mirrors ? odd : (row){0};
  for (int v = 0; v < DCTSIZE; v++) {
    row sign = flips && (v & 1) ? ~mask : mask;
    r[v] = (r[v] ^ sign) - sign;
  }
  memcpy(out, r, sizeof r);
}

// The array_access method of the encoder's memory manager.
static JBLOCKARRAY turned_rows(j_common_ptr cinfo, jvirt_barray_ptr pointer, JDIMENSION start, JDIMENSION count, boolean writable) {
  (void)cinfo;
  (void)writable;
  turned_array *array = (turned_array *)(void *)pointer;
  turner *self = array->owner;
  const jpeg_component_info *source = &self->in.comp_info[array->component];
  const jpeg_component_info *target = &self->out.comp_info[array->component];
  j_common_ptr in = (j_common_ptr)&self->in;
  JDIMENSION columns = target->width_in_blocks;
  // The library rounds its arrays up to whole rows and columns of blocks that belong together; so does what is asked for here.
  JDIMENSION source_columns = (source->width_in_blocks + (unsigned)source->h_samp_factor - 1) / (unsigned)source->h_samp_factor *
                              (unsigned)source->h_samp_factor;
  JDIMENSION source_rows = (source->height_in_blocks + (unsigned)source->v_samp_factor - 1) / (unsigned)source->v_samp_factor *
                           (unsigned)source->v_samp_factor;
  JDIMENSION across = self->swaps ? source_rows : source_columns, down = self->swaps ? source_columns : source_rows;
  for (JDIMENSION r = 0; r < count; r++) {
    JDIMENSION y = self->flips ? down - 1 - (start + r) : start + r;
    if (y >= down) y = down - 1;
    JBLOCKARRAY line = NULL;
    if (!self->swaps) line = (*in->mem->access_virt_barray)(in, self->arrays[array->component], y, 1, FALSE);
    for (JDIMENSION c = 0; c < columns; c++) {
      JDIMENSION x = self->mirrors ? across - 1 - c : c;
      if (x >= across) x = across - 1;
      const JCOEF *block;
      if (self->swaps)
        block = (*in->mem->access_virt_barray)(in, self->arrays[array->component], x, 1, FALSE)[0][y];
      else
        block = line[0][x];
      copy_block(block, array->rows[r][c], self->swaps, self->mirrors, self->flips);
    }
  }
  return array->rows;
}

static void swap_geometry(struct jpeg_compress_struct *out) {
  JDIMENSION width = out->image_width;
  out->image_width = out->image_height;
  out->image_height = width;
  for (int i = 0; i < out->num_components; i++) {
    jpeg_component_info *component = &out->comp_info[i];
    int h = component->h_samp_factor;
    component->h_samp_factor = component->v_samp_factor;
    component->v_samp_factor = h;
  }
  for (int i = 0; i < NUM_QUANT_TBLS; i++) {
    JQUANT_TBL *table = out->quant_tbl_ptrs[i];
    if (!table) continue;
    for (int v = 0; v < DCTSIZE; v++)
      for (int u = 0; u < v; u++) {
        UINT16 value = table->quantval[v * DCTSIZE + u];
        table->quantval[v * DCTSIZE + u] = table->quantval[u * DCTSIZE + v];
        table->quantval[u * DCTSIZE + v] = value;
      }
  }
}

static void prepare_array(turner *self, int component) {
  j_common_ptr out = (j_common_ptr)&self->out;
  const jpeg_component_info *info = &self->out.comp_info[component];
  turned_array *array = &self->turned[component];
  array->owner = self;
  array->component = component;
  array->rows = (*out->mem->alloc_barray)(out, JPOOL_IMAGE, info->width_in_blocks, (JDIMENSION)info->v_samp_factor);
}

// Whether the picture is coded with the tables of the standard's annex, which cameras use and the encoder begins with. Turned blocks then
// take about as many bytes with the same tables, and a pass over all of them is saved.
static int has_common_tables(const struct jpeg_decompress_struct *in, const struct jpeg_compress_struct *out) {
  const JHUFF_TBL *theirs = in->ac_huff_tbl_ptrs[0], *common = out->ac_huff_tbl_ptrs[0];
  return theirs && common && memcmp(theirs->bits, common->bits, sizeof common->bits) == 0;
}

cc_status cc_jpeg_turn(const uint8_t *data, size_t size, int orientation, int tight, const uint8_t *profile, size_t profile_size,
                       const cc_guard *guard, uint8_t **out_data, size_t *out_size, const char **detail) {
  turner *self = calloc(1, sizeof *self);
  if (!self) return CC_TOO_MUCH_MEMORY;
  struct jpeg_decompress_struct *in = &self->in;
  struct jpeg_compress_struct *out = &self->out;
  in->err = out->err = cc_jpeg_error_init(&self->error);
  cc_status status;
  if (setjmp(self->error.jump)) {
    status = self->error.status;
    *detail = self->error.detail;
    goto done;
  }
  jpeg_create_decompress(in);
  self->in_created = 1;
  jpeg_create_compress(out);
  self->out_created = 1;
  cc_jpeg_watch((j_common_ptr)in, &self->progress_in, guard);
  cc_jpeg_watch((j_common_ptr)out, &self->progress_out, guard);
  jpeg_mem_src(in, data, size);
  jpeg_read_header(in, TRUE);

  self->swaps = orientation >= 5;
  self->mirrors = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
  self->flips = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
  // An edge that moves from right to left or from bottom to top must end with a whole block.
  JDIMENSION block_width = (JDIMENSION)(in->max_h_samp_factor * DCTSIZE), block_height = (JDIMENSION)(in->max_v_samp_factor * DCTSIZE);
  int ragged_right = in->image_width % block_width != 0, ragged_bottom = in->image_height % block_height != 0;
  int moves_right = self->swaps ? self->flips : self->mirrors, moves_bottom = self->swaps ? self->mirrors : self->flips;
  status = CC_UNSUPPORTED;
  *detail = "its block grid does not allow turning without loss";
  if ((ragged_right && moves_right) || (ragged_bottom && moves_bottom)) goto done;
  if (in->num_components == 1 && (in->max_h_samp_factor > 1 || in->max_v_samp_factor > 1)) goto done;
  if (in->jpeg_color_space != JCS_YCbCr && in->jpeg_color_space != JCS_GRAYSCALE && in->jpeg_color_space != JCS_RGB) goto done;

  self->arrays = jpeg_read_coefficients(in);
  jpeg_copy_critical_parameters(in, out);
  if (self->swaps) swap_geometry(out);
  if (in->progressive_mode)
    jpeg_simple_progression(out);
  else
    out->optimize_coding = tight || !has_common_tables(in, out) ? TRUE : FALSE;
  cc_jpeg_write_to(out, &self->output, size, 0);
  jvirt_barray_ptr pointers[MAX_COMPONENTS];
  for (int i = 0; i < in->num_components; i++) pointers[i] = (jvirt_barray_ptr)(void *)&self->turned[i];
  jpeg_write_coefficients(out, pointers);
  for (int i = 0; i < out->num_components; i++) prepare_array(self, i);
  out->mem->access_virt_barray = turned_rows;
  if (profile_size > 0) jpeg_write_icc_profile(out, profile, (unsigned)profile_size);
  jpeg_finish_compress(out);
  jpeg_finish_decompress(in);
  status = CC_OK;

done:
  // Neither call below can fail: they only free.
  if (self->out_created) jpeg_destroy_compress(out);
  if (self->in_created) jpeg_destroy_decompress(in);
  if (status == CC_OK) {
    *out_data = self->output.data;
    *out_size = self->output.size;
  } else {
    free(self->output.data);
  }
  free(self);
  return status;
}
