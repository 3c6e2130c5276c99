import Glibc

/// What the process needs before anything else happens in it.
enum ProcessSetup {
    static func prepare() {
        keepMemoryPrivate()
        raiseDescriptorLimit()
        HeapKeeper.keepFreedMemory()
        // A reader that goes away (`ollama-bridge serve | head -1`) must not take the server with it.
        signal(SIGPIPE, SIG_IGN)
        // A file at its largest is an error to report, and a signal meant for another program's log rotation is none of ours.
        for number in [SIGXFSZ, SIGUSR1, SIGUSR2] { signal(number, SIG_IGN) }
    }

    /// A crash must show nobody the process's memory, where keys and prompts are. Swift's runtime answers a trap with a backtrace that
    /// prints the bytes around every register, unless `SWIFT_BACKTRACE` says otherwise before the process starts; taking its signal
    /// handlers out works however the process was started. Core files hold all of the memory.
    private static func keepMemoryPrivate() {
        for number in [SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGQUIT] { signal(number, SIG_DFL) }
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
    }

    /// Many systems give 1,024, which a thousand clients and their upstreams use up.
    private static func raiseDescriptorLimit() {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard unsafe getrlimit(resource, &limit) == 0 else { return }
        limit.rlim_cur = min(limit.rlim_max, 65_536)
        unsafe setrlimit(resource, &limit)
    }
}
