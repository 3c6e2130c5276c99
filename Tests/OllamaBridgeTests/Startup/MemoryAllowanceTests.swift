import Testing

@testable import OllamaBridge

@Suite struct MemoryAllowanceTests {
    @Test(arguments: [
        // A container of its own, version 2.
        ("0::/\n", ["/sys/fs/cgroup/memory.max": "268435456\n"], 268_435_456),
        // A service within a slice; the smallest on the way counts.
        (
            "0::/system.slice/bridge.service\n",
            [
                "/sys/fs/cgroup/system.slice/bridge.service/memory.max": "max\n", "/sys/fs/cgroup/system.slice/memory.max": "500\n",
                "/sys/fs/cgroup/memory.max": "900\n",
            ], 500
        ),
        // Version 1; the host's path cannot be seen from inside.
        (
            "5:cpu,cpuacct:/docker/abc\n4:hugetlb,memory:/docker/abc\n0::/\n",
            ["/sys/fs/cgroup/memory/memory.limit_in_bytes": "1000\n"], 1000
        ),
        // Version 1 without a limit says nearly 2⁶³.
        ("4:memory:/\n", ["/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"], 9_223_372_036_854_771_712),
    ])
    func `the smallest limit of the control groups is found`(membership: String, files: [String: String], limit: Int) {
        #expect(MemoryAllowance.controlGroupLimit(membership) { files[$0] } == limit)
    }

    @Test(arguments: ["", "nonsense", "0::", "0::/\n", "::::\n4:memory:/a"])
    func `without a limit there is none`(membership: String) {
        #expect(MemoryAllowance.controlGroupLimit(membership) { $0.hasSuffix("max") ? "max\n" : nil } == nil)
    }

    @Test func `what requests hold together is a share of it`() {
        var limits = ListenerLimits()
        limits.fit(into: 256 << 20)
        #expect(limits.bodyBytesInFlight == 64 << 20)
        #expect(limits.bodyBytes == 64 << 20)
        limits = ListenerLimits()
        limits.fit(into: 8 << 30)
        #expect(limits.bodyBytesInFlight == 512 << 20)
        #expect(limits.bodyBytes == 100_000_000)
    }
}
