/// What is to be done with one picture.
public enum ImageTreatment: Sendable, Equatable {
    /// Fetch it if need be, and make it a JPEG.
    case convert
    /// Put this text in its place.
    case notice(String)
    /// Put a caption by the named model in its place.
    case describe(with: String)
}

/// Decides about pictures before any is decoded: the model's sight, what is plainly no picture, and how many there may be.
public enum ImagePlan {
    /// One picture in the order of the request.
    public struct Item: Sendable {
        public var source: ImageSource
        public var isInNewestTurn: Bool

        public init(source: ImageSource, isInNewestTurn: Bool) {
            self.source = source
            self.isInNewestTurn = isInNewestTurn
        }
    }

    /// Why the request cannot go on, and because of which item.
    public struct Refusal: Error, Sendable, Equatable {
        public var fault: ImageFault
        public var index: Int
    }

    /// - Parameter requestedName: The model in the request's spelling.
    /// - Throws: The first fault in the newest turn. Earlier turns only ever get notices; of too many pictures there the oldest give way.
    public static func decide(
        _ items: [Item], model: ResolvedModel, requestedName: String
    ) throws(Refusal) -> [ImageTreatment] {
        let seesPictures = model.capabilities.vision || model.routes.contains(where: \.vision)
        guard seesPictures else { return try withoutVision(items, policy: model.images.withoutVision, name: requestedName) }
        var treatments: [ImageTreatment] = []
        for (index, item) in items.enumerated() {
            guard case .faulty(let fault) = item.source else {
                treatments.append(.convert)
                continue
            }
            if item.isInNewestTurn { throw Refusal(fault: fault, index: index) }
            treatments.append(.notice(fault.notice))
        }
        try limitCount(&treatments, items, limit: model.images.maxCount)
        return treatments
    }

    private static func withoutVision(
        _ items: [Item], policy: ImageSettings.VisionPolicy, name: String
    ) throws(Refusal) -> [ImageTreatment] {
        let fault = ImageFault.noVision(model: name)
        var treatments: [ImageTreatment] = []
        for (index, item) in items.enumerated() {
            switch (policy, item.source) {
            case (.reject, _):
                if item.isInNewestTurn { throw Refusal(fault: fault, index: index) }
                treatments.append(.notice(fault.notice))
            case (.notice, _): treatments.append(.notice(fault.notice))
            case (.describe, .faulty(let broken)):
                if item.isInNewestTurn { throw Refusal(fault: broken, index: index) }
                treatments.append(.notice(broken.notice))
            case (.describe(let captioner), _): treatments.append(.describe(with: captioner))
            }
        }
        return treatments
    }

    private static func limitCount(_ treatments: inout [ImageTreatment], _ items: [Item], limit: Int) throws(Refusal) {
        var spare = treatments.count { $0 == .convert } - limit
        guard spare > 0 else { return }
        let newest = items.indices.filter { items[$0].isInNewestTurn }
        if newest.count > limit {
            throw Refusal(fault: .tooMany(count: newest.count, limit: limit), index: newest[max(0, limit)])
        }
        for index in items.indices where spare > 0 && !items[index].isInNewestTurn && treatments[index] == .convert {
            treatments[index] = .notice(ImageFault.tooMany(count: items.count, limit: limit).notice)
            spare -= 1
        }
    }
}
