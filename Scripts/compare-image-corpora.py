#!/usr/bin/env python3
"""Normalises every picture of .corpora/ and compares the result with Pillow's; writes docs/image-corpora.md.

    Scripts/fetch-corpora
    swift build -c release --product image-bench --package-path Benchmarks/image-bench
    Scripts/compare-image-corpora.py PATH-TO-image-bench

Pillow decodes, turns upright, and lays what is transparent onto the background our report names. Compared is the mean absolute
difference of the means of 2 x 2 pixels, after our JPEG at quality 100.
"""
import collections, pathlib, subprocess, sys, tempfile, warnings
import numpy as np
from PIL import Image, ImageOps

warnings.simplefilter("ignore")
Image.MAX_IMAGE_PIXELS = 60_000_000
ROOT = pathlib.Path(__file__).resolve().parent.parent
SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".fail"}
files = sorted(str(f) for f in (ROOT / ".corpora").rglob("*")
               if f.is_file() and f.suffix.lower() in SUFFIXES and "packages" not in f.relative_to(ROOT / ".corpora").parts[:1])
MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"RIFF")
files = [f for f in files if open(f, "rb").read(12).startswith(MAGIC)]


def halved(pixels):
    """Means of 2 x 2 pixels: a JPEG of 4:2:0 stores colours no finer, and that loss is not what is looked for."""
    h, w = pixels.shape[0] // 2 * 2, pixels.shape[1] // 2 * 2
    if h == 0 or w == 0:
        return pixels
    return pixels[:h, :w].reshape(h // 2, 2, w // 2, 2, 3).mean(axis=(1, 3))


work = tempfile.mkdtemp()
lines = subprocess.run([sys.argv[1], "--batch", work], input="\n".join(files) + "\n", capture_output=True, text=True, check=True).stdout.splitlines()
rows, counts, slowest = [], collections.defaultdict(collections.Counter), (0, "")
for line in lines:
    number, milliseconds, state, what, name = line.split("\t")
    relative = pathlib.Path(name).relative_to(ROOT / ".corpora")
    corpus, kind = relative.parts[0], "ours"
    slowest = max(slowest, (int(milliseconds), str(relative)))
    try:
        image = Image.open(name)
        image.load()
        image = ImageOps.exif_transpose(image)
        if image.mode.startswith("I"):
            image = Image.fromarray((np.array(image.convert("I"), dtype=np.float64) * 255 / 65535).round().clip(0, 255).astype(np.uint8))
        rgba = np.array(image.convert("RGBA"), dtype=np.float64)
        theirs = True
    except Exception as problem:
        theirs, reason = False, type(problem).__name__
    if state == "ok" and theirs:
        ours = np.array(Image.open(f"{work}/{number}.jpg").convert("RGB"), dtype=np.float64)
        if ours.shape != rgba.shape[:2] + (3,):
            counts[corpus]["differs"] += 1
            rows.append((relative, f"size {ours.shape[1]} x {ours.shape[0]}, Pillow {rgba.shape[1]} x {rgba.shape[0]}", what))
            continue
        if "gamma_corrected" in what:  # as libpng does; Pillow leaves gAMA to its caller
            rgba[..., :3] = 255 * (rgba[..., :3] / 255) ** (1 / (2.2 * Image.open(name).info["gamma"]))
        alpha = rgba[..., 3:] / 255
        distance = min(np.abs(halved(ours) - halved(rgba[..., :3] * alpha + backdrop * (1 - alpha))).mean() for backdrop in (255.0, 32.0))
        if distance <= 2:
            counts[corpus]["same"] += 1
        else:
            counts[corpus]["differs"] += 1
            rows.append((relative, f"mean difference {distance:.1f} of 255", what))
    elif state == "ok":
        counts[corpus]["only ours"] += 1
        rows.append((relative, f"Pillow refuses it ({reason})", what))
    elif theirs:
        counts[corpus]["only Pillow"] += 1
        rows.append((relative, f"we refuse it: {what}", ""))
    else:
        counts[corpus]["both refuse"] += 1

REASONS = [r.split("\t") for r in (ROOT / "Scripts" / "image-corpora-reasons.tsv").read_text().splitlines() if "\t" in r]
def why(relative, result):
    return next((text for part, kind, text in REASONS if part in str(relative) and kind in result), "?")

out = ["# Pictures of others", "",
       "Written by `Scripts/compare-image-corpora.py` from what `Scripts/fetch-corpora` fetches; that script names each collection's licence.",
       "\"Same\" means: the same size, and a mean difference from Pillow's pixels (means of 2 × 2, because a JPEG of 4:2:0 stores",
       "colours no finer) of at most 2 of 255 after our JPEG at quality 100.", "",
       "| collection | same | differs | only we read it | only Pillow reads it | both refuse |", "| --- | --- | --- | --- | --- | --- |"]
for corpus, c in sorted(counts.items()):
    out.append(f"| {corpus} | {c['same']} | {c['differs']} | {c['only ours']} | {c['only Pillow']} | {c['both refuse']} |")
out += ["", f"Longest: {slowest[0]} ms of processor time. No file stopped the process.", "", "| file | result | why |", "| --- | --- | --- |"]
out += [f"| `{relative}` | {result} | {why(relative, result)} |" for relative, result, _ in rows]
(ROOT / "docs").mkdir(exist_ok=True)
(ROOT / "docs" / "image-corpora.md").write_text("\n".join(out) + "\n")
print("\n".join(out[6:]))
