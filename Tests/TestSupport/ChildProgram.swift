import Foundation

/// Another program that a test has started.
///
/// Not Foundation's `Process`: that one lists the open descriptors and reads past the end of the list when there are more than a thousand,
/// which tests that run beside it may have.
public final class ChildProgram: Sendable {
    private let identifier: pid_t

    private typealias CloseFrom = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, CInt) -> CInt
    /// glibc 2.34 has it; Swift's module for glibc leaves it out.
    private static let closeFrom = unsafe unsafeBitCast(dlsym(nil, "posix_spawn_file_actions_addclosefrom_np")!, to: CloseFrom.self)

    /// Starts a program without input, with none of this process's descriptors and no signal blocked.
    ///
    /// - Parameters:
    ///   - path: Where it is.
    ///   - arguments: Those after its name.
    ///   - output: The descriptor for its standard output; nil throws that away.
    public init(_ path: String, _ arguments: [String], output: CInt? = nil) throws {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        if let output {
            unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
        } else {
            unsafe posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        _ = unsafe Self.closeFrom(&actions, 3)

        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var blocked = sigset_t()
        unsafe sigemptyset(&blocked)
        unsafe posix_spawnattr_setsigmask(&attributes, &blocked)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

        var words = unsafe ([path] + arguments).map { unsafe strdup($0) } + [nil]
        defer { unsafe words.forEach { unsafe free($0) } }
        var identifier: pid_t = 0
        let status = unsafe posix_spawn(&identifier, path, &actions, &attributes, &words, environ)
        guard status == 0 else { throw StubFailure.system(status) }
        self.identifier = identifier
    }

    /// Waits until it has ended.
    ///
    /// - Returns: Its exit status; -1 if a signal ended it.
    @discardableResult public func waitUntilExit() -> CInt {
        var status: CInt = 0
        while unsafe waitpid(identifier, &status, 0) < 0, errno == EINTR {}
        return status & 0x7f == 0 ? status >> 8 & 0xff : -1
    }

    /// Ends it at once.
    public func stop() {
        kill(identifier, SIGKILL)
        waitUntilExit()
    }
}
