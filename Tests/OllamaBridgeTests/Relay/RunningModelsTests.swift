import Testing
import Translate

@testable import OllamaBridge

@Suite struct RunningModelsTests {
    static func model(_ name: String) throws -> ResolvedModel {
        let file = #"{"providers":{"u":{"base_url":"http://u.test/v1","dialect":"google"}},"models":{"*":{"provider":"u"}}}"#
        return try #require(try ModelCatalog.parse(Array(file.utf8), file: "f", environment: [:]).resolve(name))
    }

    @Test func `a model counts as loaded until its keep-alive is over`() throws {
        let running = RunningModels(standard: .duration(.seconds(300)))
        let now = Clock.now().seconds
        _ = running.use(try Self.model("a"), keepAlive: nil, numCtx: nil)
        _ = running.use(try Self.model("b"), keepAlive: .forever, numCtx: 7)
        _ = running.use(try Self.model("c"), keepAlive: .duration(.seconds(5)), numCtx: nil)
        #expect(running.current(now: now).map(\.model.listedName) == ["b:latest", "a:latest", "c:latest"])
        #expect(running.current(now: now + 100).map(\.model.listedName) == ["b:latest", "a:latest"])
        _ = running.use(try Self.model("b"), keepAlive: .duration(.zero), numCtx: nil)
        #expect(running.current(now: now + 1000).isEmpty)
    }

    @Test func `a model that is kept for less than a second is there until then`() throws {
        let running = RunningModels(standard: .forever)
        _ = running.use(try Self.model("a"), keepAlive: .duration(.milliseconds(300)), numCtx: nil)
        #expect(running.current(now: Clock.now().seconds).count == 1)
        #expect(running.current(now: Clock.now().seconds + 3).isEmpty)
    }

    @Test func `a model that is answering is listed, and its keep-alive begins when it has answered`() throws {
        let running = RunningModels(standard: .duration(.seconds(300)))
        let now = Clock.now().seconds
        var uses = [
            running.use(try Self.model("a"), keepAlive: .duration(.zero), numCtx: nil),
            running.use(try Self.model("a"), keepAlive: nil, numCtx: nil),
            running.use(try Self.model("b"), keepAlive: .duration(.zero), numCtx: nil),
        ]
        let late = running.current(now: now + 10_000)
        #expect(late.map(\.model.listedName) == ["b:latest", "a:latest"])
        #expect(late.allSatisfy { $0.expires.map { $0 > now + 10_000 } ?? false })
        uses.removeLast()
        uses.removeLast()
        #expect(running.current(now: now + 10_000).map(\.model.listedName) == ["a:latest"], "the other request still runs")
        uses.removeAll()
        #expect(running.current(now: now + 100).map(\.model.listedName) == ["a:latest"])
        #expect(running.current(now: now + 1000).isEmpty)
    }

    @Test func `an unload while a model answers takes effect when it has answered`() throws {
        let running = RunningModels(standard: .duration(.seconds(300)))
        var use: RunningModels.Use? = running.use(try Self.model("a"), keepAlive: nil, numCtx: nil)
        _ = running.use(try Self.model("a"), keepAlive: .duration(.zero), numCtx: nil)
        #expect(running.current(now: 0).count == 1)
        withExtendedLifetime(use) {}
        use = nil
        #expect(running.current(now: 0).isEmpty)
    }

    @Test func `names that clients make up do not fill the memory`() throws {
        let running = RunningModels(standard: .forever)
        for number in 0..<2500 { _ = running.use(try Self.model("m\(number)"), keepAlive: nil, numCtx: nil) }
        let listed = running.current(now: 0)
        #expect(listed.count <= 1000)
        #expect(listed.contains { $0.model.listedName == "m2499:latest" })
    }
}
