// fuzz-sources: Sources/Translate
// fuzz-c: Sources/CBytes
// fuzz-seeds: fixtures/chat
// fuzz-options: -max_len=8192

/// Any body of /api/chat, /api/generate, /api/embed or /v1 is refused with a failure in Ollama's words, or gives whole JSON for the upstream, the same every time.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
    // The input's length chooses the way, so that the requests of the fixtures are good seeds as they are.
    let walk = Walk(way: size)
    let first = walk.outcome(bytes)
    precondition(first == walk.outcome(bytes), "the same request gives other bytes")
    guard let body = first, let json = try? JSONParser.parse(body) else {
        precondition(first == nil, "no JSON")
        return 0
    }
    precondition(json.object != nil)
    return 0
}

private struct Walk {
    private static let dialects = ["openai", "google", "mistral", "vllm", "anthropic"]
    private static let catalogs = dialects.map { dialect in
        let file = """
            {"providers": {"u": {"base_url": "http://u.test/v1", "dialect": "\(dialect)"}}, "models": {
             "*": {"provider": "u", "model": "*", "vision": true, "tools": true, "thinking": true},
             "blind": {"provider": "u"}, "captioner": {"provider": "u", "vision": true},
             "told": {"provider": "u", "images": {"images_without_vision": "describe", "describe_with": "captioner"}}}}
            """
        do { return try ModelCatalog.parse(Array(file.utf8), file: "models.json", environment: [:]) } catch { fatalError("\(error)") }
    }

    let way: Int
    private var catalog: ModelCatalog { Self.catalogs[way % Self.catalogs.count] }

    private func chat(_ bytes: [UInt8]) throws -> [UInt8]? {
        let plain = InferenceRequest.plainChat(bytes[...])
        let general = Result { try InferenceRequest.chat(RequestBody.parse(bytes)) }
        if let plain {
            guard case .success(let general) = general else { fatalError("the plain path reads what the general path refuses") }
            precondition("\(plain)" == "\(general)", "the plain path reads something else")
        }
        return try inference(general.get(), .chat)
    }

    /// The body for the upstream; nil if there is none to send.
    func outcome(_ bytes: [UInt8]) -> [UInt8]? {
        do {
            switch way / Self.catalogs.count % 4 {
            case 0: return try chat(bytes)
            case 1: return try inference(InferenceRequest.generate(RequestBody.parse(bytes)), .generate)
            case 2:
                let request = try EmbedRequest.decode(RequestBody.parse(bytes), route: .embed)
                let model = try catalog.require(request.model, for: .embed)
                let batch = EmbeddingsMapping.batches(request, members: [model]).first
                return batch.map { EmbeddingsMapping.build($0, of: request, model: model).joined }
            default: return try edited(bytes)
            }
        } catch let failure as OllamaFailure {
            precondition((400...599).contains(failure.status))
            guard let json = try? JSONParser.parse(failure.body) else { fatalError("a failure that is no JSON") }
            precondition(json.object?["error"]?.string?.isEmpty == false, "a failure without words")
            return nil
        } catch let failure as OpenAIFailure {
            precondition((400...599).contains(failure.status) && !failure.message.isEmpty)
            return nil
        } catch {
            fatalError("\(error)")
        }
    }

    private func inference(_ request: InferenceRequest, _ route: ModelRoute) throws -> [UInt8]? {
        if request.work == .unload { return nil }
        let model = try catalog.require(request.model, for: route)
        try request.check(against: model)
        if request.work == .load { return nil }
        let treatments = try request.imageTreatments(for: model)
        let images = zip(request.messages, treatments).map { message, treatments in zip(message.images, treatments).map(Self.picture) }
        return try ChatCompletionBuilder.build(request, model: model, images: images).joined
    }

    private func edited(_ bytes: [UInt8]) throws -> [UInt8] {
        let editor = try OpenAIRequestEditor(bytes)
        let model = try catalog.require(editor.model, for: .chat)
        let treatments = try editor.treatments(for: model)
        return editor.rewritten(model: model, outcomes: zip(editor.pictures.map(\.source), treatments).map(Self.picture)).joined
    }

    /// Stands in for fetching and converting.
    private static func picture(_: ImageSource, _ treatment: ImageTreatment) -> ImageOutcome {
        switch treatment {
        case .notice(let fault), .refuse(let fault): .notice(fault.notice)
        case .describe(let captioner): .notice("[Image, described by \(captioner)]")
        case .convert: .jpeg(base64: [Array("/9j/AAAA".utf8)[...]])
        }
    }
}
