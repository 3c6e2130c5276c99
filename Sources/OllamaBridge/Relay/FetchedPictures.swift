import Synchronization

/// The pictures fetched for one request, so that a URL that stands there twice, or whose picture has to become smaller, is not asked again.
final class FetchedPictures: Sendable {
    /// What is more than this is rather fetched again.
    private static let mostBytes = 32 << 20

    private let state = Mutex<(pictures: [String: [UInt8]], size: Int)>(([:], 0))

    func bytes(of url: String) -> [UInt8]? { state.withLock { $0.pictures[url] } }

    func keep(_ bytes: [UInt8], of url: String) {
        state.withLock { state in
            guard state.size + bytes.count <= Self.mostBytes, state.pictures.updateValue(bytes, forKey: url) == nil else { return }
            state.size += bytes.count
        }
    }
}
