import Foundation

/// How much memory this process may have: what the machine has, or less where a container says so.
///
/// What the bridge holds for many requests together is a share of it. Without that a container of 256 MB was not killed under a crowd of
/// pictures but went on at the pace of a disk.
enum MemoryAllowance {
    static let bytes: Int = {
        let machine = Int(clamping: ProcessInfo.processInfo.physicalMemory)
        let membership = (try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8)) ?? ""
        return min(machine, controlGroupLimit(membership) { try? String(contentsOfFile: $0, encoding: .utf8) } ?? .max)
    }()

    /// The smallest limit on the way from the process's control group to the root (cgroups(7), both versions).
    ///
    /// - Parameters:
    ///   - membership: What `/proc/self/cgroup` says.
    ///   - read: A file's text; nil if there is none.
    static func controlGroupLimit(_ membership: String, read: (String) -> String?) -> Int? {
        var limits: [Int] = []
        for line in membership.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let (root, file): (String, String)
            if parts[1].split(separator: ",").contains("memory") {
                (root, file) = ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            } else if parts[0] == "0", parts[1].isEmpty {
                (root, file) = ("/sys/fs/cgroup", "memory.max")
            } else {
                continue
            }
            // Inside a container the path may be the host's, of which only the root can be seen.
            var names = parts[2].split(separator: "/")
            while true {
                let folder = ([root[...]] + names).joined(separator: "/")
                if let text = read("\(folder)/\(file)"), let limit = Int(text.trimmingCharacters(in: .whitespacesAndNewlines)), limit > 0 {
                    limits.append(limit)
                }
                guard names.popLast() != nil else { break }
            }
        }
        return limits.min()
    }
}
