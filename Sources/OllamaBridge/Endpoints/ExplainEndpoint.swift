import HTTPTypes
import HummingbirdCore
import Images
import Translate

/// `POST /bridge/explain`: what would be sent for each picture of a chat or generate body, and why. No picture's bytes are in the answer.
struct ExplainEndpoint: Sendable {
    let catalog: CatalogStore
    let images: ImageStage
    let bodies: RequestBodies

    func register(in routes: inout Routes) {
        routes.on(.post, at: "/bridge/explain") { exchange in
            let request = try await bodies.decode(exchange) { json throws(OllamaFailure) in
                try json.object?.lenient("messages") == nil ? InferenceRequest.generate(json) : InferenceRequest.chat(json)
            }
            try await exchange.beginWork()
            return .json(JSONWriter.bytes(try await explain(request)))
        }
    }

    private func explain(_ request: InferenceRequest) async throws -> JSONValue {
        let model = try catalog.require(request.model, for: request.shape == .chat ? .chat : .generate)
        let positions = request.picturePositions
        let slots = request.pictureSlots(positions)
        let prepared = try await images.prepare(
            slots, for: model, requestedName: request.model, textBytes: request.textBytes, named: true, reject: { _ in },
            describe: { _, describer in "(a caption by \(describer))" })
        let pictures = prepared.facts.map { fact in
            var entry: JSONObject = [:]
            entry["message"] = request.clientPosition(ofMessage: positions[fact.slot].message).map(JSONValue.integer)
            entry["image"] = .integer(positions[fact.slot].image)
            entry["given_as"] = .text(fact.kind)
            entry["turn"] = .text(slots[fact.slot].isInNewestTurn ? "newest" : "earlier")
            explain(fact.outcome, of: model, in: &entry)
            return JSONValue.object(entry)
        }
        let sent = prepared.outcomes.reduce(0) { sum, outcome in
            if case .jpeg(let base64, _) = outcome { sum + base64.reduce(0) { $0 + $1.count } } else { sum }
        }
        return [
            "model": .text(request.model), "provider": .text(model.provider.name), "upstream_model": .text(model.upstreamID),
            "vision": .bool(model.capabilities.vision), "images": .array(pictures), "base64_bytes": .integer(sent),
            "limits": [
                "max_count": .integer(model.images.maxCount), "max_bytes": .integer(model.images.maxBytes),
                "max_edge": .integer(model.images.maxEdge), "max_request_bytes": .integer(model.images.maxRequestBytes),
            ],
        ]
    }

    private func explain(_ outcome: PictureFact.Outcome, of model: ResolvedModel, in entry: inout JSONObject) {
        switch outcome {
        case .sent(let report, let digest, let fromCache):
            entry["outcome"] = "sent"
            entry["sha256"] = digest.map { .text("\($0)") }
            entry["from_cache"] = .bool(fromCache)
            for member in ImageReportJSON.object(report).members { entry[member.key] = member.value }
            entry["tokens"] =
                ImageTokens.estimate(
                    width: report.width, height: report.height, detail: model.images.detail, dialect: model.dialect.name,
                    model: model.upstreamID
                ).map(JSONValue.integer) ?? .null
        case .notice(let fault):
            entry["outcome"] = "notice"
            entry["why"] = .text(fault.error)
            entry["text"] = .text(fault.notice)
        case .rejected(let fault):
            entry["outcome"] = "error"
            let failure = fault.failure()
            entry["error"] = .text(failure.error)
            entry["code"] = failure.code.map(JSONValue.text)
            entry["detail"] = failure.detail.map(JSONValue.text)
        case .described(let name):
            entry["outcome"] = "described"
            entry["by"] = .text(name)
        }
    }
}

/// A report's facts as JSON, for explain and the command line.
enum ImageReportJSON {
    static func object(_ report: ImageReport) -> JSONObject {
        [
            "source": [
                "format": .text(report.sourceFormat.rawValue), "width": .integer(report.sourceWidth),
                "height": .integer(report.sourceHeight),
                "bytes": .integer(report.sourceBytes),
            ],
            "result": [
                "format": "jpeg", "width": .integer(report.width), "height": .integer(report.height), "bytes": .integer(report.bytes),
                "base64_bytes": .integer(report.base64Bytes), "quality": report.quality.map(JSONValue.integer) ?? .null,
                "chroma": .text(report.chromaSubsampling.rawValue),
            ],
            "actions": .array(report.actions.map { .text($0.name) }),
            "did": .array(report.actions.map { .text($0.description) }),
        ]
    }
}
