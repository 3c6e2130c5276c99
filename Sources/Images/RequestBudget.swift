/// Shares a request's byte budget among its pictures.
///
/// Large pictures give first: the budget is filled like a basin, so that every picture below the level stays untouched and all
/// pictures above it are brought down to the same level.
public struct RequestBudget: Sendable, Hashable {
    /// Most bytes of base64 text all pictures of a request may take together.
    public let maxBase64Bytes: Int

    public init(maxBase64Bytes: Int) {
        self.maxBase64Bytes = max(maxBase64Bytes, 0)
    }

    /// Says which pictures must become smaller, and how small.
    ///
    /// - Parameter base64Sizes: Bytes of base64 text each normalised picture takes.
    /// - Returns: For each picture, the most bytes of base64 text it may take, or nil if it may stay as it is.
    public func limits(forBase64Sizes base64Sizes: [Int]) -> [Int?] {
        var left = maxBase64Bytes
        var level: Int?
        let ascending = base64Sizes.map { max($0, 0) }.sorted()
        for (index, size) in ascending.enumerated() {
            let share = left / (ascending.count - index)
            if size > share {
                level = share
                break
            }
            left -= size
        }
        guard let level else { return base64Sizes.map { _ in nil } }
        return base64Sizes.map { $0 > level ? level : nil }
    }
}
