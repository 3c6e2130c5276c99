/// What became of one picture.
public enum ImageOutcome: Sendable, Equatable {
    /// A JPEG as standard base64 without line breaks, in pieces, and OpenAI's `detail` if one is to be sent.
    case jpeg(base64: [ArraySlice<UInt8>], detail: String? = nil)
    /// Text in the picture's place: why it is missing, or what it shows.
    case notice(String)
}
