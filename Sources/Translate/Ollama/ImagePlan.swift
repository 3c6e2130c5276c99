/// What is to be done with one picture.
public enum ImageTreatment: Sendable, Equatable {
    /// Fetch it if need be, and make it a JPEG.
    case convert
    /// Leave it out and say so in its place, in the words of ``ImageFault/notice``.
    case notice(ImageFault)
    /// Put a caption by the named model in its place.
    case describe(with: String)
    /// It cannot go to this model, and it is new: the request is refused.
    case refuse(ImageFault)
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

    /// Earlier turns only ever get notices; of too many pictures there the oldest give way.
    ///
    /// - Parameter requestedName: The model in the request's spelling.
    public static func decide(_ items: [Item], model: ResolvedModel, requestedName: String) -> [ImageTreatment] {
        let seesPictures = model.capabilities.vision
        var treatments = items.map { item in
            seesPictures ? withVision(item) : withoutVision(item, policy: model.images.withoutVision, name: requestedName)
        }
        if seesPictures { limitCount(&treatments, items, limit: model.images.maxCount) }
        return treatments
    }

    private static func withVision(_ item: Item) -> ImageTreatment {
        guard case .faulty(let fault) = item.source else { return .convert }
        return leaveOut(item, fault)
    }

    private static func withoutVision(_ item: Item, policy: ImageSettings.VisionPolicy, name: String) -> ImageTreatment {
        switch (policy, item.source) {
        case (.reject, _): leaveOut(item, .noVision(model: name))
        case (.notice, _): .notice(.noVision(model: name))
        case (.describe, .faulty(let broken)): leaveOut(item, broken)
        case (.describe(let captioner), _): .describe(with: captioner)
        }
    }

    private static func leaveOut(_ item: Item, _ fault: ImageFault) -> ImageTreatment {
        item.isInNewestTurn ? .refuse(fault) : .notice(fault)
    }

    private static func limitCount(_ treatments: inout [ImageTreatment], _ items: [Item], limit: Int) {
        var spare = treatments.count { $0 == .convert } - limit
        guard spare > 0 else { return }
        let newest = items.indices.filter { items[$0].isInNewestTurn }
        for index in newest.dropFirst(max(0, limit)) {
            treatments[index] = .refuse(.tooMany(count: newest.count, limit: limit))
        }
        for index in items.indices where spare > 0 && !items[index].isInNewestTurn && treatments[index] == .convert {
            treatments[index] = .notice(.tooMany(count: items.count, limit: limit))
            spare -= 1
        }
    }
}
