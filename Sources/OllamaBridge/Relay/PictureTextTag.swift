import Crypto

/// What tells one picture's text from another's.
struct PictureTextTag: Hashable, Sendable {
    fileprivate let code: [UInt8]
    fileprivate let count: Int
}

/// Makes tags with a key that never leaves the process.
///
/// AES-GMAC as a universal hash: nobody who does not know the key can make two texts with one tag, better than by chance of 2⁻¹⁰⁰. It reads
/// several gigabytes a second, SHA-256 not one and a half. The fixed nonce that would give the key away if tags were shown does no harm to
/// tags that are only compared in here.
struct PictureTextTags: Sendable {
    private let key = SymmetricKey(size: .bits128)
    private static let nonce = [UInt8](repeating: 0, count: 12)

    func tag(of text: ArraySlice<UInt8>) -> PictureTextTag {
        guard let nonce = try? AES.GCM.Nonce(data: Self.nonce),
            let box = try? AES.GCM.seal([UInt8](), using: key, nonce: nonce, authenticating: text)
        else { preconditionFailure("AES-GCM takes every text") }
        return PictureTextTag(code: Array(box.tag), count: text.count)
    }
}
