/// Whether a piece of text is the model's reasoning or its answer.
enum TextKind: Sendable {
    case thinking
    case content
}

/// Tells `<think>…</think>` from the answer in content that comes in pieces.
///
/// The opening tag counts only at the very start, after white space. What could be the beginning of a tag is held back until it is known.
struct ThinkTagSplitter: Sendable {
    private enum State {
        /// Nothing but white space so far, or the beginning of an opening tag.
        case start
        /// As `start`, but what comes is reasoning with or without the tag.
        case startOpened
        case thinking
        /// No opening tag came; a lone closing tag would mean that the template had written it.
        case content
        /// Both tags have been seen, or one that settles the matter.
        case settled
    }

    /// What is known of the text.
    enum Piece {
        case text(TextKind, ArraySlice<UInt8>)
        /// A closing tag came without an opening one: all content before it was reasoning.
        case contentWasThinking
    }

    private static let opening = Array("<think>".utf8)
    private static let closing = Array("</think>".utf8)
    /// The most white space before an opening tag.
    private static let mostBlanks = 1 << 10

    private var state: State
    private var held: [UInt8] = []
    private var skipsBlanks = false

    /// - Parameter opened: The model's template has written the opening tag.
    init(opened: Bool) {
        state = opened ? .startOpened : .start
    }

    /// Whether text without `<` would pass as content unchanged.
    var passesPlainContent: Bool { (state == .content || state == .settled) && held.isEmpty && !skipsBlanks }
    /// Whether no tag is looked for any more.
    var isSettled: Bool { state == .settled && !skipsBlanks }

    /// Takes the next text and appends what is known of it.
    mutating func push(_ text: ArraySlice<UInt8>, into pieces: inout [Piece]) {
        held += text
        var rest = held[...]
        while !rest.isEmpty {
            if skipsBlanks {
                rest = rest.drop(while: Self.isBlank)
                if rest.isEmpty { break }
                skipsBlanks = false
            }
            guard step(&rest, into: &pieces) else { break }
        }
        held = Array(rest)
    }

    /// Takes the end of the text: what was held back is text after all.
    mutating func finish(into pieces: inout [Piece]) {
        guard !held.isEmpty else { return }
        pieces.append(.text(state == .thinking || state == .startOpened ? .thinking : .content, held[...]))
        held = []
    }

    /// Uses up some of the text; false when more must come first.
    private mutating func step(_ rest: inout ArraySlice<UInt8>, into pieces: inout [Piece]) -> Bool {
        switch state {
        case .start, .startOpened:
            let visible = rest.drop(while: Self.isBlank)
            if visible.starts(with: Self.opening) {
                rest = visible.dropFirst(Self.opening.count)
                state = .thinking
                skipsBlanks = true
            } else if Self.opening.starts(with: visible), rest.count <= Self.mostBlanks {
                return false
            } else {
                state = state == .startOpened ? .thinking : .content
            }
        case .thinking:
            guard let found = take(upTo: Self.closing, from: &rest, as: .thinking, into: &pieces) else { return false }
            guard found else { return true }
            state = .settled
            skipsBlanks = true
        case .content:
            guard let found = take(upTo: Self.closing, from: &rest, as: .content, into: &pieces) else { return false }
            guard found else { return true }
            pieces.append(.contentWasThinking)
            state = .settled
            skipsBlanks = true
        case .settled:
            pieces.append(.text(.content, rest))
            rest = []
        }
        return true
    }

    /// Hands out the text before a tag, and swallows the tag.
    ///
    /// - Returns: Whether the tag was there; nil if the rest may be its beginning.
    private func take(
        upTo tag: [UInt8], from rest: inout ArraySlice<UInt8>, as kind: TextKind, into pieces: inout [Piece]
    ) -> Bool? {
        var position = rest.startIndex
        while let start = rest[position...].firstIndex(of: UInt8(ascii: "<")) {
            let candidate = rest[start...]
            let isTag = candidate.starts(with: tag)
            if isTag || tag.starts(with: candidate) {
                if start > rest.startIndex { pieces.append(.text(kind, rest[..<start])) }
                rest = isTag ? candidate.dropFirst(tag.count) : candidate
                return isTag ? true : nil
            }
            position = start + 1
        }
        pieces.append(.text(kind, rest))
        rest = []
        return false
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }
}
