/// An answer whose headers are in and whose body can be read once.
public struct FetchReply: Sendable {
    /// The final status; interim ones are passed over.
    public let status: Int
    /// Header fields in the order they came.
    public let headers: FetchHeaders
    /// The body, as it arrives. Letting go of it unread stops the exchange.
    public let body: FetchBody
    /// When what happened.
    public let timings: FetchTimings
}

/// What a final response says before its body.
public struct FetchHead: Sendable {
    /// The final status; interim ones are passed over.
    public var status: Int
    /// Header fields in the order they came.
    public var headers: FetchHeaders
    /// When what happened.
    public var timings: FetchTimings
}

/// When the steps of an exchange happened, counted from the call of `send`.
public struct FetchTimings: Sendable, Hashable {
    /// When the last byte of the request had been handed over; nil if the answer came before that.
    public var requestWritten: Duration?
    /// When the first line of the final response came.
    public var firstByte: Duration
    /// Whether the connection had served an earlier request.
    public var connectionReused: Bool
}

/// Header fields, found by name in any case.
public struct FetchHeaders: Sendable, RandomAccessCollection {
    /// One field as it came.
    public typealias Element = (name: String, value: String)
    private var fields: [Element]

    /// A list of fields in order.
    public init(_ fields: [Element] = []) {
        self.fields = fields
    }
    /// The position of the first field: 0.
    public var startIndex: Int { 0 }
    /// How many fields there are.
    public var endIndex: Int { fields.count }
    /// The field at a position.
    public subscript(position: Int) -> Element { fields[position] }

    /// The value of the first field of that name, or nil.
    public subscript(name: String) -> String? {
        fields.first { isSameField($0.name, name) }?.value
    }
    /// The values of all fields of that name, in order.
    public func values(_ name: String) -> [String] {
        fields.filter { isSameField($0.name, name) }.map(\.value)
    }
    mutating func append(_ field: Element) {
        // Most answers have some ten.
        if fields.isEmpty { fields.reserveCapacity(12) }
        fields.append(field)
    }
}

/// Field names are ASCII; only letters fold.
func isSameField(_ one: String, _ other: String) -> Bool {
    guard one.utf8.count == other.utf8.count else { return false }
    let (one, other) = (one.utf8.span, other.utf8.span)
    for index in one.indices where lowercased(one[index]) != lowercased(other[index]) { return false }
    return true
}
