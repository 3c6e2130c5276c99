internal import CCodecs

/// A picture being decoded, row by row. Owns the C side's source.
@safe struct RowSource: ~Copyable {
    let facts: cc_facts
    private let source: OpaquePointer
    private let work: WorkGuard

    /// The encoded bytes must stay where they are for as long as this lives.
    init(
        _ work: WorkGuard,
        opening open: (UnsafePointer<cc_guard>, inout OpaquePointer?, inout UnsafePointer<CChar>?) -> cc_status
    ) throws(ImageError) {
        var opened: OpaquePointer?
        var detail: UnsafePointer<CChar>?
        let status = unsafe open(work.pointer, &opened, &detail)
        try unsafe work.pass(status, detail: detail)
        guard let opened = unsafe opened else { throw .broken("its data is damaged") }
        unsafe source = opened
        unsafe facts = cc_source_facts(opened)
        self.work = work
    }

    deinit {
        unsafe cc_source_close(source)
    }

    var width: Int { Int(facts.width) }
    var height: Int { Int(facts.height) }
    var channels: Int { Int(facts.channels) }
    var rowBytes: Int { width * channels }

    /// Lends the next row until the next call.
    func next() throws(ImageError) -> UnsafePointer<UInt8> {
        var row: UnsafePointer<UInt8>?
        var detail: UnsafePointer<CChar>?
        let status = unsafe cc_source_next(source, &row, &detail)
        try unsafe work.pass(status, detail: detail)
        guard let row = unsafe row else { throw .broken("its data is damaged") }
        return unsafe row
    }

    /// The ICC profile the decoder found (PNG only).
    func profile() -> [UInt8]? {
        var bytes: UnsafePointer<UInt8>?
        var count = 0
        unsafe cc_source_profile(source, &bytes, &count)
        guard let bytes = unsafe bytes, count > 0 else { return nil }
        return unsafe Array(UnsafeBufferPointer(start: bytes, count: count))
    }
}
