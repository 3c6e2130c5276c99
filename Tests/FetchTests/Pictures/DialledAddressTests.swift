import Foundation
import TestSupport
import Testing

@testable import Fetch

@Suite(.timeLimit(.minutes(1))) struct DialledAddressTests {
    private func listener() throws -> StubUpstream {
        try StubUpstream.answering { _ in StubAnswer.whole(body: "inside") }
    }

    @Test func `a name that leads inside is refused before anything is dialled`() async throws {
        let inside = try listener()
        defer { inside.stop() }
        for answer in [
            ["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["127.0.0.1", "93.184.216.34"], ["::1", "93.184.216.34"], ["::ffff:127.0.0.1"],
        ] {
            try await withImageFetcher(allowed: []) {
                $0.resolver = ScriptedResolver(["evil.test": [answer]])
            } _: { fetcher async throws in
                #expect(await imageError(fetcher, "http://evil.test:\(inside.port)/") == .addressNotAllowed)
            }
        }
        #expect(inside.connections.count == 0)
    }

    @Test func `a name that changes its mind is dialled only where it was checked`() async throws {
        // Public when asked first, inside ever after. 203.0.113.9 stands for the public address: it is opened, and nobody answers there.
        let inside = try listener()
        defer { inside.stop() }
        try await withImageFetcher(allowed: ["203.0.113.9"]) {
            $0.resolver = ScriptedResolver(["flip.test": [["203.0.113.9"], ["127.0.0.1"]]])
            $0.connectTimeout = .milliseconds(200)
        } _: { fetcher async throws in
            for _ in 0..<5 {
                let error = await imageError(fetcher, "http://flip.test:\(inside.port)/")
                #expect(error != nil)
            }
        }
        #expect(inside.connections.count == 0)
    }

    @Test func `the address dialled is checked although the name was believed`() async throws {
        // The fetcher beneath is told to dial inside, as a resolver that lies to the first check would make it do.
        let inside = try listener()
        defer { inside.stop() }
        try await withFetcher { fetcher async throws in
            var request = FetchRequest(url: "http://believed.test:\(inside.port)/")
            request.pinnedAddresses = [IPAddress(v4: 0x7f00_0001)]
            request.addressGuard = { address, _ in AddressPolicy.isPublic(address) }
            #expect(await fetchError { _ = try await fetcher.send(request) } == .addressRefused)
            #expect(inside.connections.count == 0)
            request.addressGuard = nil
            #expect(try await fetcher.text(request) == "inside")
        }
    }

    @Test func `a connection that a trusted request opened does not serve a stranger's`() async throws {
        // libcurl does not ask about the socket when it uses one again: only the question before the request stands in the way.
        let inside = try listener()
        defer { inside.stop() }
        try await withFetcher { fetcher async throws in
            #expect(try await fetcher.text(FetchRequest(url: inside.url + "/trusted")) == "inside")
            #expect(await eventually { fetcher.openTransfers == 0 && fetcher.openConnections == 1 })
            var request = FetchRequest(url: inside.url + "/stranger")
            request.addressGuard = { address, _ in AddressPolicy.isPublic(address) }
            #expect(await fetchError { _ = try await fetcher.send(request) } == .addressRefused)
            #expect(inside.requests.all.map(\.target) == ["/trusted"])
        }
    }

    @Test func `a name opened by the operator leads inside, and only that name does`() async throws {
        let inside = try listener()
        defer { inside.stop() }
        try await withImageFetcher(allowed: ["nas.test", "*.lan.test"]) {
            $0.resolver = ScriptedResolver(["nas.test": [["127.0.0.1"]], "a.lan.test": [["127.0.0.1"]], "evil.test": [["127.0.0.1"]]])
        } _: { fetcher async throws in
            #expect(try await fetcher.text("http://nas.test:\(inside.port)/") == "inside")
            #expect(try await fetcher.text("http://a.lan.test:\(inside.port)/") == "inside")
            #expect(await imageError(fetcher, "http://evil.test:\(inside.port)/") == .addressNotAllowed)
            #expect(await imageError(fetcher, "http://lan.test:\(inside.port)/") == .couldNotConnect(detail: "the name has no address"))
            #expect(await imageError(fetcher, "http://127.0.0.1:\(inside.port)/") == .addressNotAllowed)
        }
    }

    @Test func `what we listen on ourselves is refused although its host is open`() async throws {
        let own = try listener()
        let other = try listener()
        defer {
            own.stop()
            other.stop()
        }
        try await withImageFetcher(allowed: ["nas.test", "127.0.0.1"]) {
            $0.resolver = ScriptedResolver(["nas.test": [["127.0.0.1"]]])
            $0.ownEndpoints = [.init(address: IPAddress(v4: 0), port: own.port)]
        } _: { fetcher async throws in
            for host in ["nas.test", "127.0.0.1"] {
                #expect(await imageError(fetcher, "http://\(host):\(own.port)/") == .addressNotAllowed)
                #expect(try await fetcher.text("http://\(host):\(other.port)/") == "inside")
            }
        }
        #expect(own.connections.count == 0)
    }

    @Test func `an entry with a port opens that port only`() async throws {
        let one = try listener()
        let other = try listener()
        defer {
            one.stop()
            other.stop()
        }
        try await withImageFetcher(allowed: ["127.0.0.1:\(one.port)"]) { fetcher async throws in
            #expect(try await fetcher.text(one.url) == "inside")
            #expect(await imageError(fetcher, other.url) == .addressNotAllowed)
        }
    }

    @Test func `a resolver that never answers meets the limit`() async throws {
        struct Silence: HostResolver {
            func addresses(of host: String) async -> [IPAddress] {
                try? await Task.sleep(for: .seconds(60))
                return []
            }
        }
        try await withImageFetcher {
            $0.resolver = Silence()
            $0.connectTimeout = .milliseconds(100)
        } _: { fetcher async throws in
            #expect(await imageError(fetcher, "http://slow.test/") == .timedOut)
        }
    }

    @Test func `the system's resolver finds this machine`() async {
        #expect(await SystemResolver().addresses(of: "localhost").contains(IPAddress(v4: 0x7f00_0001)))
        #expect(await SystemResolver().addresses(of: "no-such-name.invalid").isEmpty)
    }
}

@Suite struct AllowedHostsTests {
    @Test(arguments: [
        "", " ", "*", "*.", "http://nas/", "nas:0", "nas:99999", "10.0.0.0/33", "10.0.0", "a..b", "nas lan", "a/b", "[::1", "-:x",
        "1.2.3.4.5",
    ])
    func `is no entry`(_ entry: String) {
        #expect(throws: AllowedHosts.InvalidEntry(entry: entry)) { try AllowedHosts([entry]) }
    }

    @Test(arguments: [
        ("nas.lan", "nas.lan", true), ("NAS.lan.", "nas.lan", true), ("nas.lan", "x.nas.lan", false), ("*.lan", "x.lan", true),
        ("*.lan", "a.b.lan", true), ("*.lan", "lan", false), ("*.lan", "evillan", false), ("nas.lan:80", "nas.lan", true),
        ("nas.lan:81", "nas.lan", false),
    ]) func `a name is opened as written`(_ entry: String, _ host: String, _ isOpen: Bool) throws {
        #expect(try AllowedHosts([entry]).opens(name: host, port: 80) == isOpen)
    }

    @Test(arguments: [("[::1]:80", "::1", true), ("::1", "::1", true), ("[::1]:81", "::1", false), ("fd00::/8", "fd12::1", true)])
    func `an address is opened as written`(_ entry: String, _ address: String, _ isOpen: Bool) throws {
        #expect(try AllowedHosts([entry]).opens(try #require(IPAddress(address)), port: 80) == isOpen)
    }
}
