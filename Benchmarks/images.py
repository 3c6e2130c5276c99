#!/usr/bin/env python3
"""Compares the normaliser's processor time with bare library calls, and measures its memory.

    cc -O2 -o baseline Benchmarks/baseline/baseline.c $(pkg-config --cflags --libs libturbojpeg libpng libwebp)
    swift build -c release --product image-bench --package-path Benchmarks/images
    Benchmarks/images.py PATH-TO-image-bench PATH-TO-baseline SKIMAGE-DATA-FOLDER

Makes 12- and 50-megapixel pictures out of four photos of scikit-image's wheel, with noise as a sensor's. Every figure is the median of
seven runs in one process; both programs run in turn. Needs Pillow and numpy.
"""
import pathlib, re, subprocess, sys, tempfile
import numpy as np
from PIL import Image

BENCH, BASE, DATA = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
WORK = pathlib.Path(tempfile.gettempdir()) / "image-bench-pictures"


def mosaic(w, h):
    names = ("coffee.png", "astronaut.png", "chelsea.png", "hubble_deep_field.jpg")
    whole = Image.new("RGB", (w, h))
    for i, name in enumerate(names):
        whole.paste(Image.open(DATA / name).convert("RGB").resize((w // 2, h // 2), Image.LANCZOS), (i % 2 * (w // 2), i // 2 * (h // 2)))
    pixels = np.array(whole, dtype=np.int16)
    pixels += np.random.default_rng(1).normal(0, 1, pixels.shape).round().astype(np.int16)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def make():
    WORK.mkdir(exist_ok=True)
    if (WORK / "50.jpg").exists():
        return
    picture = mosaic(4032, 3024)
    picture.save(WORK / "12.png", compress_level=6)
    picture.save(WORK / "12.jpg", quality=92)
    picture.save(WORK / "12-best.jpg", quality=98, subsampling=0)
    picture.save(WORK / "12-progressive.jpg", quality=92, progressive=True)
    picture.save(WORK / "12.webp", quality=85)
    sideways = Image.Exif()
    sideways[0x112] = 6
    picture.save(WORK / "12-sideways.jpg", quality=92, exif=sideways)
    mosaic(8160, 6120).save(WORK / "50.jpg", quality=90)


def field(text, name):
    return float(re.search(name + r"=([0-9.]+)", text).group(1))


def run(*words):
    return subprocess.run([str(w) for w in words], capture_output=True, text=True, check=True).stdout


make()
print("| picture | way | bare calls, ms | ours, ms | ratio | peak over idle, MB |\n| --- | --- | --- | --- | --- | --- |")
for name in ("12.png", "12.webp", "12.jpg", "12-progressive.jpg"):
    for edge in (0, 2048):
        options = ["--edge", edge] if edge else []
        if not edge and name.endswith(".jpg"):
            # Without a reason to touch it, a JPEG would pass through.
            options = ["--max-base64", (WORK / name).stat().st_size * 4 // 3 - 8]
        base = field(run(BASE, WORK / name, edge, 7), "cpu_ms")
        ours = field(run(BENCH, WORK / name, "--runs", 7, *options), "cpu_ms")
        peak = field(run(BENCH, WORK / name, *options), "peak_over_idle_kb") / 1000
        print(f"| {name} | {'to 2,048' if edge else 'full size'} | {base:.0f} | {ours:.0f} | {ours / base:.2f} | {peak:.0f} |", flush=True)
for name, options, way in (
    ("12.jpg", ["--wire"], "base64 in, passed through, base64 out"), ("12-best.jpg", ["--wire"], "base64 in, passed through, base64 out"),
    ("12-sideways.jpg", [], "turned by its blocks"), ("50.jpg", ["--edge", 2048], "to 2,048")):
    text = run(BENCH, WORK / name, "--runs", 7, *options)
    peak = field(run(BENCH, WORK / name, *options), "peak_over_idle_kb") / 1000
    print(f"| {name} ({(WORK / name).stat().st_size / 1e6:.1f} MB) | {way} | | {field(text, 'cpu_ms'):.1f} | | {peak:.0f} |", flush=True)
