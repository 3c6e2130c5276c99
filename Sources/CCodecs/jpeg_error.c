#include "jpeg_error.h"

_Noreturn void cc_jpeg_fail(j_common_ptr cinfo, cc_status status, const char *detail) {
  cc_jpeg_error *error = (cc_jpeg_error *)cinfo->err;
  error->status = status;
  error->detail = detail;
  longjmp(error->jump, 1);
}

static void on_error(j_common_ptr cinfo) {
  switch (cinfo->err->msg_code) {
    case JERR_NO_BACKING_STORE:
    case JERR_OUT_OF_MEMORY:
      cc_jpeg_fail(cinfo, CC_TOO_MUCH_MEMORY, NULL);
    case JERR_BAD_PRECISION:
      cc_jpeg_fail(cinfo, CC_UNSUPPORTED, "it has other than 8 bits a channel");
    case JERR_SOF_UNSUPPORTED:
    case JERR_ARITH_NOTIMPL:
    case JERR_NOT_COMPILED:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_CCIR601_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL:
      cc_jpeg_fail(cinfo, CC_UNSUPPORTED, "it is a kind of JPEG that is not in common use");
    default:
      cc_jpeg_fail(cinfo, CC_BROKEN, "its data is damaged");
  }
}

static void on_message(j_common_ptr cinfo, int level) {
  if (level >= 0) return;
  cinfo->err->num_warnings++;
  // A picture that is cut off must not pass for a picture with a grey lower half: half a download is not half a description.
  switch (cinfo->err->msg_code) {
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER:
      cc_jpeg_fail(cinfo, CC_BROKEN, "its data ends too early");
    default:
      break;
  }
}

static void say_nothing(j_common_ptr cinfo) { (void)cinfo; }

struct jpeg_error_mgr *cc_jpeg_error_init(cc_jpeg_error *error) {
  jpeg_std_error(&error->manager);
  error->manager.error_exit = on_error;
  error->manager.emit_message = on_message;
  error->manager.output_message = say_nothing;
  error->status = CC_OK;
  error->detail = NULL;
  return &error->manager;
}

static void on_progress(j_common_ptr cinfo) {
  cc_jpeg_progress *progress = (cc_jpeg_progress *)cinfo->progress;
  if (cinfo->is_decompressor && ((j_decompress_ptr)cinfo)->input_scan_number > progress->guard->max_scans)
    cc_jpeg_fail(cinfo, CC_TOO_MANY_SCANS, NULL);
  if (progress->calls++ % CC_ROWS_PER_CHECK != 0) return;
  cc_status status = cc_guard_check(progress->guard);
  if (status != CC_OK) cc_jpeg_fail(cinfo, status, NULL);
}

void cc_jpeg_watch(j_common_ptr cinfo, cc_jpeg_progress *progress, const cc_guard *guard) {
  progress->manager.progress_monitor = on_progress;
  progress->guard = guard;
  progress->calls = 0;
  cinfo->progress = &progress->manager;
  cinfo->mem->max_memory_to_use = (long)guard->max_memory;
}
