// fuzz-sources: Sources/Translate
// fuzz-c: Sources/CBytes
// fuzz-seeds: fixtures/catalogs models.json
// fuzz-options: -max_len=8192

/// Any models.json gives a catalogue that answers for every name it lists, or one line that says where and what to do.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
    let environment = ["OPENAI_API_KEY": "k", "OPENROUTER_API_URL": "http://router.test/v1"]
    do {
        let catalog = try ModelCatalog.parse(bytes, file: "models.json", environment: environment)
        for model in catalog.listed() {
            guard let found = catalog.resolve(model.listedName) else { fatalError("listed and not found") }
            precondition(found.listedName == model.listedName, "a name leads to another model")
        }
    } catch {
        let text = "\(error)"
        precondition(text.hasPrefix("models.json") && text.contains("; "), text)
        precondition(error.line.map { $0 >= 1 } ?? true)
        precondition(!error.problem.isEmpty && !error.remedy.isEmpty && !error.problem.hasSuffix("."), text)
    }
    return 0
}
