"""Whatever picture goes in, the upstream receives a true JPEG of it. Pillow judges, at the upstream's side."""

import base64
import io
import threading

import httpx
import numpy as np
import pytest
from PIL import Image

import pictures
from bridge import stub_catalog
from pictures import assert_shows, base64_of, encode, photo

CASES = {case.name: case for case in pictures.cases()}


def send(http, *images, model="seer", **more):
    """One generate request that must succeed."""
    reply = http.post("/api/generate", json={"model": model, "prompt": "Look.", "images": list(images), "stream": False, **more})
    assert reply.status_code == 200, reply.text


@pytest.mark.parametrize("name", CASES)
def test_arrives_as_jpeg_and_shows_the_same(http, stub, name):
    case = CASES[name]
    send(http, base64_of(case.data))
    [arrived] = stub.last.pictures()
    assert_shows(arrived, case.expected, case.quality)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_arrives_upright(http, stub, format, orientation):
    options = {"JPEG": {"quality": 95}, "WEBP": {"lossless": True}}.get(format, {})
    data = encode(pictures.quarters(), format, exif=pictures.exif(orientation), **options)
    send(http, base64_of(data))
    [arrived] = stub.last.pictures()
    assert_shows(arrived, pictures.seen_by_pillow(data), 25)
    assert arrived.getexif().get(0x0112, 1) == 1, "whoever honours the tag would turn it again"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photo_of_odd_size_arrives_upright(http, stub, orientation):
    """The edges of such a picture are no whole blocks, so it cannot be turned without decoding."""
    data = encode(photo("chelsea").crop((0, 0, 211, 149)), "JPEG", quality=93, exif=pictures.exif(orientation))
    send(http, base64_of(data))
    [arrived] = stub.last.pictures()
    assert_shows(arrived, pictures.seen_by_pillow(data), 30)


def sloppy_forms(data, url):
    raw = base64_of(data)
    wrapped = "\n".join(raw[start:start + 76] for start in range(0, len(raw), 76))
    return {
        "raw": raw,
        "wrapped at 76": wrapped,
        "with CRLF and blanks": "  " + wrapped.replace("\n", "\r\n") + "\r\n",
        "unpadded": raw.rstrip("="),
        "URL-safe": base64.urlsafe_b64encode(data).decode(),
        "URL-safe, unpadded": base64.urlsafe_b64encode(data).decode().rstrip("="),
        "data URL": "data:image/png;base64," + raw,
        "data URL with a wrong type": "data:image/jpeg;base64," + raw,
        "data URL without a type": "data:;base64," + raw,
        "data URL, upper case": "DATA:IMAGE/PNG;BASE64," + raw,
        "data URL with parameters": 'data:image/png;name="a b.png";charset=utf-8;base64,' + raw,
        "http URL": url,
    }


@pytest.mark.parametrize("form", sloppy_forms(b"", ""))
def test_every_way_to_hand_it_in(http, stub, image_host, form):
    # 2 bytes over a multiple of three, so that there is padding to leave out.
    data = encode(pictures.graphic(), "PNG")
    data += b"\0" * ((2 - len(data)) % 3)
    url = image_host.serve("/picture.png", data, "image/png")
    send(http, sloppy_forms(data, url)[form])
    [arrived] = stub.last.pictures()
    assert_shows(arrived, pictures.graphic())


@pytest.mark.parametrize("name", ["jpeg", "png rgba", "webp lossy alpha", "gif animated"])
@pytest.mark.parametrize("form", ["data URL", "http URL"])
def test_formats_by_url(http, stub, image_host, name, form):
    case = CASES[name]
    # The declared type is a lie, as it often is.
    url = image_host.serve("/picture", case.data, "application/octet-stream") + "?width=80"
    send(http, url if form == "http URL" else "data:image/bmp;base64," + base64_of(case.data))
    [arrived] = stub.last.pictures()
    assert_shows(arrived, case.expected, case.quality)


def test_picture_url_asked_for_with_nothing_private(http, stub, image_host):
    url = image_host.serve("/a.jpg", CASES["jpeg"].data)
    http.post(
        "/api/generate", headers={"Authorization": "Bearer client-secret", "Cookie": "session=1"},
        json={"model": "seer", "prompt": "x", "images": [url, url], "stream": False},
    )
    assert len(stub.last.pictures()) == 2
    assert len(image_host.requests) == 1, "the same URL is fetched once"
    headers = {name.lower(): value for name, value in image_host.requests[0][1].items()}
    assert not {"authorization", "cookie", "referer", "x-forwarded-for"} & set(headers)
    assert "sk-stub" not in str(headers)
    assert headers["user-agent"]


def test_redirects_are_followed_three_times(http, stub, image_host):
    image_host.serve("/3", CASES["jpeg"].data)
    image_host.redirect("/2", "/3")
    image_host.redirect("/1", image_host.url + "/2", 307)
    send(http, image_host.redirect("/0", "/1", 301))
    [arrived] = stub.last.pictures()
    assert_shows(arrived, CASES["jpeg"].expected)


def test_fine_jpeg_goes_through_untouched_but_anonymous(http, stub):
    data = encode(
        photo("chelsea"), "JPEG", quality=88, exif=pictures.exif(1), icc_profile=pictures.icc_profile(),
        comment=b"taken by Alice", xmp=b"<x:xmpmeta>where it was taken</x:xmpmeta>",
    )
    send(http, base64_of(data))
    [arrived] = stub.last.pictures()
    [sent] = stub.last.jpegs()
    assert np.array_equal(np.asarray(arrived), np.asarray(Image.open(io.BytesIO(data)))), "pixels were coded again"
    assert len(sent) < len(data)
    for private in (b"Alice", b"ACME", b"xmpmeta", b"Exif"):
        assert private in data and private not in sent
    assert arrived.info.get("icc_profile") == pictures.icc_profile()


def test_grey_stays_grey(http, stub):
    send(http, base64_of(encode(photo("chelsea").convert("L"), "PNG")))
    assert stub.last.pictures()[0].mode == "L"


def test_nearly_white_picture_with_transparency_lands_on_a_dark_ground(http, stub):
    drawing = Image.new("RGBA", (120, 80), (0, 0, 0, 0))
    drawing.paste((250, 250, 250, 255), (40, 20, 80, 60))
    send(http, base64_of(encode(drawing, "PNG")))
    arrived = np.asarray(stub.last.pictures()[0].convert("L")).astype(int)
    assert arrived[40, 60] - arrived[5, 5] > 100, "white on white shows nothing"


def test_order_and_text(http, stub):
    reds = [Image.new("RGB", (40, 40), (value, 10, 10)) for value in (60, 120, 180, 240)]
    datas = [encode(red, format) for red, format in zip(reds, ["PNG", "JPEG", "GIF", "WEBP"])]
    send(http, *map(base64_of, datas))
    [message] = [message for message in stub.last.body["messages"] if message["role"] == "user"]
    assert [part["type"] for part in message["content"]] == ["text"] + ["image_url"] * 4
    assert message["content"][0]["text"] == "Look."
    for arrived, red in zip(stub.last.pictures(), reds):
        assert pictures.mean_difference(arrived, red) <= 4


def test_pictures_of_each_message_stay_with_it(http, stub):
    red, blue = (encode(Image.new("RGB", (32, 32), colour), "PNG") for colour in ((220, 0, 0), (0, 0, 220)))
    http.post("/api/chat", json={
        "model": "seer", "stream": False,
        "messages": [
            {"role": "user", "content": "first", "images": [base64_of(red)]},
            {"role": "assistant", "content": "a red one", "images": []},
            {"role": "user", "content": "second", "images": [base64_of(blue)]},
            {"role": "assistant", "content": "a blue one"},
            {"role": "user", "content": "which was first?"},
        ],
    })
    messages = stub.last.body["messages"]
    assert [isinstance(message["content"], list) for message in messages] == [True, False, True, False, False]
    assert [picture.getpixel((9, 9))[0] > 200 for picture in stub.last.pictures()] == [True, False]


def test_top_level_images_of_a_chat_belong_to_the_last_user_message(http, stub):
    http.post("/api/chat", json={
        "model": "seer", "stream": False, "images": [base64_of(CASES["png rgb"].data)],
        "messages": [{"role": "user", "content": "one"}, {"role": "assistant", "content": "two"}, {"role": "user", "content": "three"}],
    })
    messages = stub.last.body["messages"]
    assert [isinstance(message["content"], list) for message in messages] == [False, False, True]


def test_top_level_images_of_a_chat_join_those_of_messages(http, stub):
    colours = [encode(Image.new("RGB", (20, 20), colour), "PNG") for colour in ("red", "blue")]
    http.post("/api/chat", json={
        "model": "seer", "stream": False, "images": [base64_of(colours[1])],
        "messages": [{"role": "user", "content": "one", "images": [base64_of(colours[0])]}, {"role": "assistant", "content": "two"},
                     {"role": "user", "content": "three"}],
    })
    assert [picture.getpixel((9, 9))[0] > 200 for picture in stub.last.pictures()] == [True, False]


def limited(stub, **images):
    """A catalogue whose one model has these limits."""
    catalog = stub_catalog(stub.url)
    catalog["models"] = {"seer": {"provider": "stub", "model": "up", "vision": True, "images": images}}
    return catalog


def test_text_counts_against_the_limit_of_a_request(new_bridge, stub):
    data = base64_of(encode(photo("astronaut"), "JPEG", quality=95))
    bridge = new_bridge(models=limited(stub, max_request_bytes=300_000))
    bodies = []
    for path, message in [
        ("/api/chat", {"content": "x" * 260_000, "images": [data]}),
        ("/v1/chat/completions", {"content": [{"type": "text", "text": "x" * 260_000}, {"type": "image_url", "image_url": {"url": data}}]}),
    ]:
        reply = httpx.post(bridge.url + path, json={"model": "seer", "stream": False, "messages": [{"role": "user", **message}]})
        assert reply.status_code == 200, reply.text
        assert len(stub.last.pictures()) == 1
        bodies.append(int(stub.last.headers["Content-Length"]))
    assert max(bodies) <= 300_000
    small = new_bridge(models=limited(stub, max_request_bytes=50_000))
    with httpx.Client(base_url=small.url, timeout=30) as http:
        send(http, base64_of(encode(photo("astronaut").resize((64, 64)), "JPEG")))


def test_a_url_is_fetched_once_a_request(new_bridge, stub, image_host):
    url = image_host.serve("/a.jpg", encode(photo("astronaut"), "JPEG", quality=95), **{"Cache-Control": "no-store"})
    bridge = new_bridge("--allow-image-host", "127.0.0.1", models=limited(stub, max_request_bytes=60_000))
    with httpx.Client(base_url=bridge.url, timeout=30) as http:
        reply = http.post("/api/chat", json={
            "model": "seer", "stream": False,
            "messages": [{"role": "user", "content": "one", "images": [url]}, {"role": "assistant", "content": "two"},
                         {"role": "user", "content": "three", "images": [url, url]}],
        })
    assert reply.status_code == 200, reply.text
    assert len(stub.last.pictures()) == 3 and len(image_host.requests) == 1


def test_each_model_has_its_patience_for_urls(new_bridge, stub, image_host):
    gate = threading.Event()
    image_host.pages["/slow"] = lambda _: gate.wait(20)
    bridge = new_bridge("--allow-image-host", "127.0.0.1", models=limited(stub, fetch_timeout_seconds=1))
    reply = httpx.post(bridge.url + "/api/generate", json={"model": "seer", "prompt": "Look.", "images": [image_host.url + "/slow"]}, timeout=15)
    gate.set()
    assert reply.status_code == 400 and reply.json()["error"] == "failed to fetch image: timed out"


def test_explain_adds_up_and_names_notices(new_bridge, stub):
    catalog = limited(stub)
    catalog["models"]["blind"] = {"provider": "stub", "model": "up", "images": {"images_without_vision": "notice"}}
    bridge = new_bridge(models=catalog)
    data = base64_of(CASES["png rgb"].data)

    def explain(model):
        body = {"model": model, "messages": [{"role": "user", "content": "Look.", "images": [data, data]}]}
        return httpx.post(bridge.url + "/bridge/explain", json=body).json()

    seen = explain("seer")
    assert seen["base64_bytes"] == sum(picture["result"]["base64_bytes"] for picture in seen["images"]) > 1000
    assert [picture["outcome"] for picture in explain("blind")["images"]] == ["notice", "notice"]


def test_same_picture_same_bytes(http, stub):
    data = base64_of(CASES["png rgba"].data)
    send(http, data)
    first = stub.last.jpegs()
    send(http, data)
    assert stub.last.jpegs() == first, "the upstream's prompt cache would be cold"


def test_shrunk_and_squeezed_to_the_models_limits(http, stub):
    """`narrow` takes 256 px and 60,000 bytes of base64."""
    noise = np.random.default_rng(7).integers(0, 255, (600, 900, 3), dtype=np.uint8)
    for picture in (photo("astronaut"), Image.fromarray(noise)):
        data = encode(picture, "PNG")
        send(http, base64_of(data), model="narrow")
        [arrived] = stub.last.pictures()
        [sent] = stub.last.jpegs()
        assert max(arrived.size) == 256
        assert abs(arrived.width / arrived.height - picture.width / picture.height) < 0.02
        assert len(base64.b64encode(sent)) <= 60_000
        assert pictures.mean_difference(arrived, picture) <= 3


def test_large_photo_is_cut_down_to_the_safe_edge(http, stub):
    big = photo("coffee").resize((2600, 1733), Image.BICUBIC)
    send(http, base64_of(encode(big, "JPEG", quality=90)))
    [arrived] = stub.last.pictures()
    assert max(arrived.size) == 2048
    assert pictures.psnr(arrived, big.resize(arrived.size, Image.LANCZOS)) >= 30


def test_bad_picture_of_an_earlier_turn_becomes_a_notice(http, stub):
    reply = http.post("/api/chat", json={
        "model": "seer", "stream": False,
        "messages": [
            {"role": "user", "content": "old", "images": ["bm90IGFuIGltYWdl", base64_of(CASES["jpeg"].data)]},
            {"role": "assistant", "content": "hm"},
            {"role": "user", "content": "new"},
        ],
    })
    assert reply.status_code == 200, reply.text
    old = stub.last.body["messages"][0]
    assert len([part for part in old["content"] if part["type"] == "image_url"]) == 1
    assert "An image was here" in str(old["content"])


def test_pictures_of_earlier_turns_become_notices_without_vision(http, stub):
    reply = http.post("/api/chat", json={
        "model": "blind", "stream": False,
        "messages": [
            {"role": "user", "content": "old", "images": [base64_of(CASES["jpeg"].data)]},
            {"role": "assistant", "content": "hm"},
            {"role": "user", "content": "new"},
        ],
    })
    assert reply.status_code == 200, reply.text
    old = stub.last.body["messages"][0]
    assert isinstance(old["content"], str)
    assert old["content"].startswith("old") and "cannot see images" in old["content"]


@pytest.mark.parametrize("name", ["jpeg", "png rgba", "webp lossless alpha", "gif transparent"])
def test_v1_normalises_too(http, stub, name):
    case = CASES[name]
    reply = http.post("/v1/chat/completions", json={
        "model": "seer",
        "messages": [{"role": "user", "content": [
            {"type": "text", "text": "Look."},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64," + base64_of(case.data), "detail": "low"}},
        ]}],
    })
    assert reply.status_code == 200, reply.text
    [arrived] = stub.last.pictures()
    assert_shows(arrived, case.expected, case.quality)
    assert stub.last.body["messages"][0]["content"][1]["image_url"]["detail"] == "low"


def test_v1_repairs_a_bare_string_image_url(http, stub):
    http.post("/v1/chat/completions", json={
        "model": "seer",
        "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "data:image/png;base64," + base64_of(CASES["graphic png"].data)}]}],
    })
    [arrived] = stub.last.pictures()
    assert_shows(arrived, CASES["graphic png"].expected)


def test_image_bytes_and_url_queries_never_reach_the_log(bridge, http, stub, image_host):
    data = CASES["jpeg"].data
    url = image_host.serve("/logged.jpg", data) + "?token=s3cret-query"
    send(http, url, base64_of(data))
    assert len(stub.last.pictures()) == 2
    log = bridge.log() + "".join(bridge.output)
    assert "s3cret-query" not in log
    assert base64_of(data)[100:160] not in log
    assert "sk-stub" not in log
