// fuzz-sources: Sources/Translate
// fuzz-c: Sources/CBytes
// fuzz-seeds: fixtures/chat
// fuzz-options: -max_len=8192

/// Any upstream bytes, cut anywhere, give the same lines as uncut, by the usual path as by the general one; every line is JSON and the end is one.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
    // The input's last bytes choose the way, so that recorded streams are good seeds as they are.
    let choice = Choice(bytes)
    let whole = Run(choice, pieces: [bytes])
    whole.check()
    let cut = Run(choice, pieces: choice.pieces(of: bytes))
    precondition(whole == cut)
    let general = Run(choice, pieces: [bytes], isGeneralOnly: true)
    precondition(whole.failure == general.failure && whole.values == general.values)
    rewrite(bytes, choice)
    return 0
}

private struct Choice {
    var settings = AnswerSettings(
        shape: .chat, model: "m\"", requestReceived: AnswerMoment(nanoseconds: 0, seconds: 0, fraction: 0))
    var random: UInt64

    init(_ bytes: [UInt8]) {
        let last = bytes.last ?? 0
        settings.shape = last & 1 == 0 ? .chat : .generate
        settings.thinking = last & 2 == 0 ? .pass : .drop
        settings.thinkTags = last & 4 == 0 ? .none : last & 8 == 0 ? .split : .splitOpened
        settings.logprobs = last & 16 != 0
        random = bytes.suffix(8).reduce(1) { $0 &* 31 &+ UInt64($1) }
    }

    func pieces(of bytes: [UInt8]) -> [[UInt8]] {
        var state = random
        var pieces: [[UInt8]] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let piece = rest.prefix(Int(state >> 33 % 60) + 1)
            pieces.append(Array(piece))
            rest = rest.dropFirst(piece.count)
        }
        return pieces
    }
}

private struct Run: Equatable {
    var lines: [[UInt8]] = []
    var failure: OllamaFailure?

    init(_ choice: Choice, pieces: [[UInt8]], isGeneralOnly: Bool = false) {
        var translator = AnswerTranslator(choice.settings)
        translator.reader.isGeneralOnly = isGeneralOnly
        let moment = AnswerMoment(nanoseconds: 5, seconds: 5, fraction: 5)
        var batch = LineBatch()
        do {
            for piece in pieces { try translator.push(piece, at: moment, into: &batch) }
            try translator.finish(at: moment, into: &batch)
        } catch {
            failure = error
        }
        lines = (0..<batch.count).map { Array(batch.line($0)) }
    }

    /// The lines without their spelling.
    var values: [JSONValue?] { lines.map { try? JSONParser.parse($0) } }

    func check() {
        for (index, line) in lines.enumerated() {
            precondition(line.last == 0x0A && !line.dropLast().contains(0x0A))
            guard let object = (try? JSONParser.parse(line))?.object else { fatalError("a line is no JSON") }
            let isFinal = failure == nil && index == lines.count - 1
            precondition(object["done"] == .bool(isFinal) && object["error"] == nil)
        }
        precondition(failure != nil || !lines.isEmpty)
        if let failure { precondition((try? JSONParser.parse(failure.body))?.object?["error"]?.string?.isEmpty == false) }
    }
}

/// What passes through `/v1` does not depend on the cuts either.
private func rewrite(_ bytes: [UInt8], _ choice: Choice) {
    func run(_ pieces: [[UInt8]]) -> [UInt8] {
        var rewriter = OpenAIStreamRewriter(model: "m\"")
        var output: [UInt8] = []
        do {
            for piece in pieces { try rewriter.push(piece, into: &output) }
            try rewriter.finish(into: &output)
        } catch {
            // Nobody goes on with an answer that was refused.
            output += error.body
        }
        return output
    }
    precondition(run([bytes]) == run(choice.pieces(of: bytes)))
}
