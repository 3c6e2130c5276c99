import Testing
import Translate

@Suite struct ImageSourceTests {
    @Test(arguments: [
        ("http://a.test/x.png", "http://a.test/x.png"), ("HTTPS://a.test/x", "HTTPS://a.test/x"),
        (" \nhttps://a.test/x \n", "https://a.test/x"),
    ])
    func `web addresses are recognised in any case`(text: String, url: String) {
        #expect(ImageSource(.text(text)) == .url(url))
    }

    @Test(arguments: [
        "/9j/4AAQ", "iVBORw0KGgo=", "data:image/png;base64,AAAA", "DATA:image/PNG;x=y;BASE64,AAAA", "/home/me/cat.png", "not base64!",
        "x y",
    ])
    func `everything without another scheme is left to decoding`(text: String) {
        #expect(ImageSource(.text(text)) == .encoded(ArraySlice(text.utf8)))
    }

    @Test(arguments: ["file:///etc/passwd", "ftp://a.test/x", "blob:https://a.test/1", "C:\\cat.png", "gopher://x", "javascript:alert(1)"])
    func `other schemes are refused unread`(text: String) {
        #expect(ImageSource(.text(text)) == .faulty(.foreignReference))
    }

    @Test func `what is no text, and nothing at all`() {
        for value: JSONValue in [5, true, [:], []] { #expect(ImageSource(value) == .faulty(.notText)) }
        for value: JSONValue in [.null, "", "  \n"] { #expect(ImageSource(value) == .faulty(.empty)) }
    }

    @Test func `a picture's text stays a slice of the body`() throws {
        let body = Array(
            #"{"messages":[{"role":"user","content":"x","images":["\#(String(repeating: "A", count: 1000))"]}],"model":"m"}"#.utf8)
        let request = try InferenceRequest.chat(try RequestBody.parse(body))
        guard case .encoded(let slice) = request.messages[0].images[0] else {
            Issue.record("not encoded")
            return
        }
        #expect(slice.count == 1000 && slice.startIndex > 0)
    }
}

/// The error table, word for word: clients match on it.
@Suite struct ImageFaultTests {
    @Test(arguments: [
        (ImageFault.notText, "Unsupported image type"),
        (.empty, "invalid image input"),
        (.broken(reason: "the file ends early"), "invalid image input"),
        (.foreignReference, "Only JPEG base64 strings or http(s) URLs are supported"),
        (.notBase64, "Only JPEG base64 strings or http(s) URLs are supported"),
        (.unsupportedFormat(found: "HEIC"), "Only JPEG base64 strings or http(s) URLs are supported"),
        (.fetchStatus(404), "failed to fetch image: 404"),
        (.fetchFailed(.timedOut), "failed to fetch image: timed out"),
        (.fetchFailed(.tooLarge), "failed to fetch image: too large"),
        (.fetchFailed(.addressNotAllowed), "failed to fetch image: address not allowed"),
        (.fetchFailed(.tooManyRedirects), "failed to fetch image: too many redirects"),
        (.fetchFailed(.couldNotConnect), "failed to fetch image: could not connect"),
        (.fetchFailed(.notAnImage), "failed to fetch image: not an image"),
        (.tooLarge(figure: "61 megapixels", limit: "50 megapixels"), "image too large: 61 megapixels, the limit is 50 megapixels"),
        (.tooMany(count: 30, limit: 20), "too many images: 30, the limit is 20"),
        (.requestTooLarge(figure: "25 MB", limit: "20 MB"), "request too large: 25 MB, the limit is 20 MB"),
        (.noVision(model: "Some/Model"), "Some/Model does not support vision"),
    ])
    func `the text is the documented one, with status 400 and the position`(fault: ImageFault, text: String) throws {
        let failure = fault.failure(message: 2, image: 1)
        #expect(failure.error == text)
        #expect(failure.status == 400 && failure.message == 2 && failure.image == 1)
        #expect(failure.code != nil && failure.detail?.hasSuffix(".") == true)
        let body = try #require(try JSONParser.parse(failure.body).object)
        #expect(body["error"]?.string == text)
    }

    @Test func `a model without vision has the documented code`() {
        #expect(ImageFault.noVision(model: "m").failure().code == "UNSUPPORTED_CAPABILITY")
    }

    @Test func `a body over the limit is 413`() {
        let failure = OllamaFailure.bodyTooLarge(bytes: 120_000_000, limit: 100_000_000)
        #expect(failure.status == 413 && failure.error == "request too large: 120000000 bytes, the limit is 100000000 bytes")
    }
}
