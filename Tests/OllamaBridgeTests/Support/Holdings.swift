import Fetch
import TestSupport
import Testing

@testable import OllamaBridge

/// What the process held at some moment, to see that a fault leaves nothing behind.
struct Holdings {
    private let descriptors: Int
    private let residentBytes: Int

    /// The runtime opens timers of its own when it first needs them; a leak is one for each time the fault was met, which is three and more.
    private static let ownDescriptors = 2
    /// Memory that the allocator keeps is no leak; what is still in use by then is.
    private static let slack = 10 << 20

    init(_ bridge: TestBridge) {
        descriptors = Self.descriptors(bridge)
        residentBytes = Self.residentBytes
    }

    /// Without the connections that the fetcher keeps for the next request on purpose.
    private static func descriptors(_ bridge: TestBridge) -> Int {
        ProcessCounts.descriptors - bridge.running.parts.fetcher.openConnections
    }

    private static var residentBytes: Int {
        ProcessCounts.giveBackFreeMemory()
        return ProcessCounts.residentBytes
    }

    /// To be asked when every client of the test has gone.
    ///
    /// - Parameter patience: How long it may take.
    func expectNothingMore(
        _ bridge: TestBridge, within patience: Duration = .seconds(10), sourceLocation: SourceLocation = #_sourceLocation
    ) async {
        let parts = bridge.running.parts
        for (name, isGone) in [
            ("requests at work", { parts.capacity.counts.running + parts.capacity.counts.queued == 0 }),
            ("bytes of bodies", { parts.capacity.counts.bodyBytes == 0 }),
            ("connections' tasks", { parts.connections.count == 0 }),
            ("curl handles", { parts.fetcher.openTransfers == 0 }),
            ("descriptors", { Self.descriptors(bridge) <= descriptors + Self.ownDescriptors }),
            // Sanitizers keep freed memory for a while, to see who still uses it.
            ("memory", { ProcessCounts.slowdown > 1 || Self.residentBytes <= residentBytes + Self.slack }),
        ] as [(String, () -> Bool)] {
            let isAllGone = await ProcessCounts.eventually(within: patience, isGone)
            let now =
                "descriptors \(descriptors) → \(Self.descriptors(bridge)), memory \(residentBytes >> 10) → \(Self.residentBytes >> 10) KiB, \(ProcessCounts.descriptorKinds)"
            #expect(isAllGone, "\(name) left behind: \(now)", sourceLocation: sourceLocation)
        }
    }
}
